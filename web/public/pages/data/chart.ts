// The chart library, in parts, loaded when a chart is first shown.
import { BarChart } from 'echarts/charts';
import { GridComponent, LegendComponent, TooltipComponent } from 'echarts/components';
import { init, use, type EChartsType } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';

use([BarChart, GridComponent, LegendComponent, TooltipComponent, CanvasRenderer]);

export interface Bars {
  labels: string[];
  series: { name: string; values: (number | null)[] }[];
  /** Two series drawn to the two sides of one axis. */
  pyramid: boolean;
}

const token = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export function draw(on: HTMLElement, bars: Bars, old: EChartsType | null): EChartsType {
  const chart = old ?? init(on, null, { renderer: 'canvas' });
  const text = token('--text');
  const size = Number.parseInt(token('--text-body'), 10);
  const colours = ['--accent', '--ramp3', '--ramp5', '--ramp2', '--hint'].map(token);
  const axis = { axisLabel: { color: text, fontSize: size }, axisLine: { lineStyle: { color: token('--hint') } } };
  const value = {
    type: 'value' as const,
    ...axis,
    splitLine: { lineStyle: { color: token('--line') } },
    axisLabel: { color: text, fontSize: size, hideOverlap: true, formatter: (v: number) => Math.abs(v).toLocaleString('en-US') },
  };
  chart.setOption(
    {
      animation: false,
      textStyle: { fontFamily: getComputedStyle(document.documentElement).fontFamily, color: text },
      color: colours,
      legend: { show: bars.series.length > 1, textStyle: { color: text, fontSize: size }, top: 0 },
      grid: { left: 8, right: 16, top: bars.series.length > 1 ? 32 : 8, bottom: 8, containLabel: true },
      tooltip: {
        trigger: 'axis',
        renderMode: 'richText',
        confine: true,
        axisPointer: { type: 'shadow' },
        valueFormatter: (v: unknown) => (typeof v === 'number' ? Math.abs(v).toLocaleString('en-US') : '—'),
      },
      xAxis: value,
      yAxis: { type: 'category', data: bars.labels, inverse: !bars.pyramid, ...axis, axisTick: { show: false } },
      series: bars.series.map((s, i) => ({
        type: 'bar',
        name: s.name,
        stack: bars.pyramid || bars.series.length > 1 ? 'one' : undefined,
        barCategoryGap: '20%',
        // the second half of a pyramid is hatched too: colour is never alone
        itemStyle: bars.pyramid && i === 1 ? { decal: { symbol: 'rect', dashArrayX: [1, 0], dashArrayY: [2, 4], rotation: 0.7, color: token('--page') } } : undefined,
        data: s.values.map((v) => (v === null ? null : bars.pyramid && i === 0 ? -v : v)),
      })),
    },
    true,
  );
  chart.resize();
  return chart;
}
