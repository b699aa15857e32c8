// The box: what would happen to what is pasted. The server reads it; here is only shown what it says.
import { el, plural } from './dom.js';
import { stepArticle } from './explanation.js';

const most = 3 * 1024 * 1024;
const $ = id => document.getElementById(id);
let asked = 0, cluster;

const pod = (name, labels) => `apiVersion: v1
kind: Pod
metadata:
  generateName: ${name}-
  labels:
${Object.entries(labels).map(([key, value]) => `    ${key}: ${value}\n`).join('')}spec:
  containers:
    - name: main
      image: registry.example/taxi-${name}:1
${labels.typeOfComponent === 'Predict' ? '      resources:\n        requests: {cpu: 500m, memory: 512Mi}\n' : ''}`;

const examples = {
  predict: location => pod('predict', { typeOfComponent: 'Predict', OurLocation: location }),
  training: () => pod('train', { typeOfComponent: 'Training' }),
  workflow: location => `apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata:
  generateName: taxi-
spec:
  entrypoint: taxi
  templates:
    - name: taxi
      dag:
        tasks:
          - {name: train, template: train}
          - {name: predict, template: predict, dependencies: [train]}
    - name: train
      metadata:
        labels: {typeOfComponent: Training}
      container: {image: registry.example/taxi-train:1}
    - name: predict
      metadata:
        labels: {typeOfComponent: Predict, OurLocation: ${location}}
      container:
        image: registry.example/taxi-predict:1
        resources:
          requests: {cpu: 500m, memory: 512Mi}
`,
};

export const showTrial = next => { cluster = next; };

export function startTrial() {
  $('trial').addEventListener('submit', event => { event.preventDefault(); explain(); });
  $('trial-text').addEventListener('keydown', event => { if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) { event.preventDefault(); explain(); } });
  $('trial-clear').addEventListener('click', () => {
    asked++;
    $('trial').reset();
    $('trial-results').replaceChildren(el('p', { class: 'empty' }, 'What would happen is shown here.'));
    $('trial-text').focus();
  });
  $('trial-example').addEventListener('change', event => {
    const example = examples[event.target.value];
    if (example) $('trial-text').value = example(cluster?.locations[0] ?? 'HOME-EDGE');
  });
  $('trial-file').addEventListener('change', async event => {
    const file = event.target.files[0];
    if (!file) return;
    if (file.size > most) showProblems([tooLarge(file.size)]);
    else { $('trial-text').value = await file.text(); explain(); }
  });
}

const tooLarge = size => ({ line: null, message: `the text has ${(size / 1048576).toFixed(1)} MB, and the API server takes no more than 3`, advice: 'paste one pod or pipeline, and leave out what has grown large, such as managedFields or a model inside a ConfigMap' });

async function explain() {
  const text = $('trial-text').value;
  const size = new Blob([text]).size;
  if (size > most) { showProblems([tooLarge(size)]); return; }
  const mine = ++asked;
  const go = $('trial-go');
  go.setAttribute('aria-busy', 'true');
  go.textContent = 'Explaining…';
  try {
    const response = await fetch(`/api/explain?namespace=${encodeURIComponent($('trial-namespace').value.trim())}`, { method: 'POST', headers: { 'Content-Type': 'application/yaml' }, body: text });
    const answer = await response.json();
    if (mine === asked) show(answer);
  } catch {
    if (mine === asked) showProblems([{ line: null, message: 'the server did not answer', advice: 'see whether kubectl port-forward still runs, and try again' }]);
  }
  if (mine === asked) { go.removeAttribute('aria-busy'); go.textContent = 'Explain'; }
}

const showProblems = problems => show({ problems, steps: [], passedOver: [], notices: [] });

function show(answer) {
  const untouched = answer.steps.length > 0 && answer.steps.every(s => s.outcome === 'NotAStep');
  const parts = [
    answer.problems.length > 0 && el('div', { class: 'problems' }, el('h2', {}, plural(answer.problems.length, 'problem')), el('ul', {}, answer.problems.map(problem))),
    untouched && el('div', { class: 'hint' }, el('p', {}, 'None of these is a step that the webhook knows. Give a pod, or a task of the pipeline, the label ', el('code', {}, 'typeOfComponent: Predict'),
      ' with ', el('code', {}, `OurLocation: ${cluster?.locations[0] ?? 'HOME-EDGE'}`), ', or ', el('code', {}, 'typeOfComponent: Training'), '.',
      cluster?.locations.length > 0 && ` The locations are ${cluster.locations.slice(0, 12).join(', ')}${cluster.locations.length > 12 ? ' …' : ''}.`)),
    ...(answer.notices ?? []).map(n => el('p', { class: 'note' }, n)),
    ...answer.steps.map(step => stepArticle(step)),
    answer.passedOver.length > 0 && el('p', { class: 'quiet' }, `Passed over: ${answer.passedOver.map(p => `${p.line ? `line ${p.line}: ` : ''}${p.message}`).join('; ')}.`),
  ];
  $('trial-results').replaceChildren(...parts.filter(Boolean));
  $('trial-news').textContent = [plural(answer.steps.length, 'step'), answer.problems.length && `${plural(answer.problems.length, 'problem')}: ${answer.problems[0].message}`].filter(Boolean).join(', ');
  // On a narrow screen the answer is below the box.
  if (matchMedia('(max-width: 64rem)').matches) $('trial-results').focus();
}

function problem({ line, message, advice }) {
  return el('li', {}, line !== null && el('button', { type: 'button', class: 'link', on: { click: () => select(line) } }, `Line ${line}`), line !== null && ': ',
    line === null ? message[0].toUpperCase() + message.slice(1) : message, advice && el('span', { class: 'advice' }, `${advice[0].toUpperCase()}${advice.slice(1)}.`));
}

function select(line) {
  const box = $('trial-text');
  const lines = box.value.split('\n');
  const start = lines.slice(0, line - 1).reduce((sum, l) => sum + l.length + 1, 0);
  box.focus();
  box.setSelectionRange(start, start + (lines[line - 1]?.length ?? 0));
  box.scrollTop = (line - 4) * parseFloat(getComputedStyle(box).lineHeight);
}
