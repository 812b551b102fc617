import type { OfficePage } from '../../page';

const page: OfficePage = {
  path: 'coding',
  name: 'coding',
  group: 'work',
  order: 50,
  title: 'coding.title',
  needs: 'coding.code',
  component: () => import('./Coding.vue'),
  first: ['coder'],
};
export default page;
