/* What this page knows of the last sending that was not taken. */
import { reactive } from 'vue';
export const late = reactive({ closed: false, stale: false });
