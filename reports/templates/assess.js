/** @file Asks the questions of a set: answers by key or click, kept in this browser at once, saved as ratings.csv. */
(() => {
  const { set, answers, items, images } = JSON.parse(document.getElementById('set-data').textContent);
  const at = (id) => document.getElementById(id);
  const make = (name, fields = {}, ...children) => {
    const element = document.createElement(name);
    for (const [field, value] of Object.entries(fields)) element.setAttribute(field, value);
    element.append(...children);
    return element;
  };
  /** By item: { answer, seconds }. */
  let given = {};
  let rater = '';
  let place = 0;
  /** When the question was last seen, while the page is. */
  let since = 0;

  const warn = (text) => {
    at('warning').textContent = text;
    at('warning').hidden = false;
  };
  const nameOf = () => `saxbench ${set} ${rater}`;
  const keep = () => {
    try {
      localStorage.setItem(nameOf(), JSON.stringify(given));
    } catch {
      warn('This browser keeps nothing for this page: save ratings.csv before you close it.');
    }
  };
  const kept = () => {
    try {
      const found = JSON.parse(localStorage.getItem(nameOf()) ?? '{}');
      return typeof found === 'object' && found !== null ? found : {};
    } catch {
      return {};
    }
  };
  const answered = () => items.filter(({ id }) => given[id]?.answer).length;
  /** Adds the time since the question was last seen to what was spent on it. */
  const spend = () => {
    const { id } = items[place];
    const now = performance.now();
    given[id] = { answer: given[id]?.answer ?? '', seconds: (given[id]?.seconds ?? 0) + (now - since) / 1000 };
    since = now;
  };
  document.addEventListener('visibilitychange', () => {
    if (at('rate').hidden) return;
    if (document.hidden) {
      spend();
      keep();
    } else since = performance.now();
  });

  const exampleOf = ({ text, image }) => {
    if (image !== undefined) return make('img', { src: images[image], alt: 'Image to compare', width: 96, height: 96 });
    return make('span', { class: 'text' }, ...text.map(({ t, m }) => (m ? make('mark', { class: `m${m}` }, t) : t)));
  };
  const choices = {
    group: () => items[place].groups.map((_, i) => String(i + 1)),
    'yes-no': () => ['yes', 'no'],
    words: () => ['none'],
  };

  const draw = () => {
    const { id, note, references = [], groups } = items[place];
    const chosen = given[id]?.answer ?? '';
    at('note').textContent = note ?? '';
    at('note').hidden = !note;
    const pictures = groups[0][0].image !== undefined;
    at('references').hidden = references.length === 0;
    at('references').classList.toggle('images', pictures);
    at('references').replaceChildren(...references.map(exampleOf));
    at('groups').className = [pictures && 'images', answers === 'group' && (groups[0].length > 1 ? 'pair' : 'cards')]
      .filter(Boolean)
      .join(' ');
    at('groups').replaceChildren(
      ...groups.map((group, i) => {
        const shown = group.map(exampleOf);
        if (answers !== 'group') return make('div', { class: 'group' }, ...shown);
        const answer = String(i + 1);
        const fields = { type: 'button', class: 'group', 'data-answer': answer, 'aria-pressed': chosen === answer };
        return make('button', fields, make('span', { class: 'number' }, answer), ...shown);
      }),
    );
    at('answers').replaceChildren();
    if (answers === 'yes-no') {
      for (const [answer, key] of [
        ['yes', 'y'],
        ['no', 'n'],
      ])
        at('answers').append(
          make(
            'button',
            { type: 'button', 'data-answer': answer, 'aria-pressed': chosen === answer },
            `${answer} (${key})`,
          ),
        );
    }
    if (answers === 'words') {
      const field = make('input', {
        id: 'words',
        'aria-label': 'What they have in common',
        maxlength: 200,
        autocomplete: 'off',
      });
      field.value = chosen === 'none' ? '' : chosen;
      at('answers').append(
        field,
        make(
          'button',
          { type: 'button', 'data-answer': 'none', 'aria-pressed': chosen === 'none' },
          'Nothing in common (Alt+0)',
        ),
      );
      field.focus();
    } else at('question').focus({ preventScroll: true });
    at('keys').textContent = {
      group: `Keys: 1 to ${groups.length} answer, ← back, → next, s skip`,
      'yes-no': 'Keys: y or 1 yes, n or 2 no, ← back, → next, s skip',
      words: 'Keys: Enter next, Alt+0 nothing in common, Alt+← back',
    }[answers];
    at('bar').value = answered();
    const left = items.length - answered();
    at('count').textContent =
      left === 0 ? 'All answered: save ratings.csv' : `Question ${place + 1} of ${items.length}, ${left} to answer`;
    at('back').disabled = place === 0;
    scrollTo(0, 0);
  };
  const go = (to) => {
    spend();
    keep();
    place = Math.min(Math.max(to, 0), items.length - 1);
    draw();
  };
  const answer = (text) => {
    spend();
    given[items[place].id].answer = text;
    keep();
    const open = (from, to) => items.slice(from, to).findIndex(({ id }) => !given[id]?.answer);
    const later = open(place + 1);
    const before = open(0, place);
    go(later >= 0 ? place + 1 + later : before >= 0 ? before : place);
  };
  const written = () => at('words')?.value.replaceAll(/\s+/g, ' ').trim() ?? '';
  /** What is written counts also where the rater goes on without Enter. */
  const leave = (to) => {
    if (answers === 'words' && written() && written() !== given[items[place].id]?.answer) {
      spend();
      given[items[place].id].answer = written();
    }
    go(to);
  };
  const skip = () => {
    spend();
    given[items[place].id].answer = '';
    go(place + 1);
  };

  const field = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const csv = () =>
    [
      'set,rater,item,answer,seconds',
      ...items
        .filter(({ id }) => given[id])
        .map(({ id }) => [set, rater, id, given[id].answer, given[id].seconds.toFixed(1)].map(field).join(',')),
    ].join('\n');
  const save = () => {
    if (answers === 'words' && written())
      given[items[place].id] = { seconds: 0, ...given[items[place].id], answer: written() };
    spend();
    keep();
    const url = URL.createObjectURL(new Blob([`${csv()}\n`], { type: 'text/csv' }));
    const link = make('a', { href: url, download: 'ratings.csv' });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  };

  at('enter').addEventListener('submit', (event) => {
    event.preventDefault();
    rater = at('rater').value.replaceAll(/\s+/g, ' ').trim();
    if (!rater) return;
    given = kept();
    at('start').hidden = true;
    at('rate').hidden = false;
    since = performance.now();
    const first = items.findIndex(({ id }) => !given[id]?.answer);
    place = first < 0 ? items.length - 1 : first;
    draw();
  });
  at('rate').addEventListener('click', ({ target }) => {
    const chosen = target.closest('[data-answer]');
    if (chosen) answer(chosen.dataset.answer);
  });
  at('back').addEventListener('click', () => leave(place - 1));
  at('next').addEventListener('click', () => (answers === 'words' && written() ? answer(written()) : leave(place + 1)));
  at('skip').addEventListener('click', skip);
  at('save').addEventListener('click', save);
  document.addEventListener('keydown', (event) => {
    if (at('rate').hidden || event.ctrlKey || event.metaKey) return;
    const { key, altKey } = event;
    const run = (work) => {
      event.preventDefault();
      work();
    };
    if (answers === 'words') {
      if (key === 'Enter' && event.target.id === 'words' && written()) run(() => answer(written()));
      else if (altKey && key === '0') run(() => answer('none'));
      else if (altKey && key === 'ArrowLeft') run(() => leave(place - 1));
      return;
    }
    if (altKey) return;
    const short = { y: 'yes', n: 'no', 1: 'yes', 2: 'no' };
    const asked = answers === 'yes-no' ? short[key.toLowerCase()] : key;
    if (choices[answers]().includes(asked)) run(() => answer(asked));
    else if (key === 'ArrowLeft') run(() => go(place - 1));
    else if (key === 'ArrowRight') run(() => go(place + 1));
    else if (key === 's') run(skip);
  });
})();
