import type { OfficePage } from '../../page';

const page: OfficePage = {
  path: 'evaluation',
  name: 'evaluation',
  group: 'work',
  order: 45,
  title: 'evaluation.title',
  needs: 'evaluation.view',
  component: () => import('./Evaluation.vue'),
};
export default page;
