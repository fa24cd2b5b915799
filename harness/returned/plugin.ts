/** @file A plug-in from outside as the registry hands it out: what it returns is checked, what it throws is named. */
import type { DatasetDefinition } from '../contract/data.ts';
import type { JudgeDefinition } from '../contract/judge.ts';
import type { BaselineDefinition } from '../contract/methods.ts';
import type { SaeDefinition } from '../contract/sae.ts';
import type { SubjectDefinition } from '../contract/subject.ts';
import type { TaskDefinition } from '../contract/task.ts';
import { checkedDatasetPlugin } from './dataset.ts';
import { checkedAsync, demand, isRecord } from './expect.ts';
import { checkedJudgePlugin } from './judge.ts';
import { checkedBaseline } from './method.ts';
import { checkedTask } from './task.ts';

type Known =
  | (SaeDefinition & { kind: 'sae' })
  | (BaselineDefinition & { kind: 'baseline' })
  | (TaskDefinition & { kind: 'task' })
  | (DatasetDefinition & { kind: 'dataset' })
  | (JudgeDefinition & { kind: 'judge' })
  | (SubjectDefinition & { kind: 'subject' });

/** The definition with its file as `source`. An SAE's results are checked where the sizes are known: `checkedSae`. */
export function checkedPlugin(definition: Known, file: string): Known {
  switch (definition.kind) {
    case 'sae':
      return { ...definition, source: file };
    case 'baseline':
      return { ...checkedBaseline(definition, file), kind: 'baseline', source: file };
    case 'task':
      return { ...checkedTask(definition, file), kind: 'task', source: file };
    case 'dataset':
      return { ...checkedDatasetPlugin(definition, file), kind: 'dataset', source: file };
    case 'judge':
      return { ...checkedJudgePlugin(definition, file), kind: 'judge', source: file };
    case 'subject': {
      const load = checkedAsync({ file }, 'load', definition, definition.load, (subject) => {
        demand({ file }, 'load', isRecord(subject) && Array.isArray(subject.sites), 'a subject with sites', subject);
      });
      const outline =
        definition.outline &&
        checkedAsync({ file }, 'outline', definition, definition.outline, (found) => {
          const fits = isRecord(found) && Array.isArray(found.sites) && Number.isInteger(found.parameters);
          demand({ file }, 'outline', fits, 'an object with sites and a whole number of parameters', found);
        });
      return { ...definition, load, ...(outline && { outline }), source: file };
    }
  }
}
