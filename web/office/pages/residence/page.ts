import type { OfficePage } from '../../page';

const page: OfficePage = {
  path: 'residence',
  name: 'residence',
  group: 'work',
  order: 30,
  title: 'residence.title',
  needs: ['evaluation.view', 'evaluation.ea'],
  component: () => import('./Residence.vue'),
};
export default page;
