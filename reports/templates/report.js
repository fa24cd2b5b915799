/** @file What the HTML report does where scripts run: sort, filter, hide methods, texts at the pointer. Without, it is all there. */
(() => {
  const root = document.documentElement;
  root.classList.add('js');
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];

  // Texts at the pointer: `title` waits a second and knows no touch and no keyboard.
  const tip = document.createElement('div');
  tip.id = 'tip';
  tip.setAttribute('role', 'tooltip');
  tip.hidden = true;
  document.body.append(tip);
  for (const element of all('[title]')) {
    if (element.title) element.dataset.tip = element.title;
    element.removeAttribute('title');
  }
  for (const text of all('svg [data-m] > title')) {
    text.parentElement.dataset.tip = text.textContent;
    text.remove();
  }
  const hide = () => {
    tip.hidden = true;
  };
  const show = ({ target }) => {
    const element = target.closest?.('[data-tip]');
    if (!element) return hide();
    tip.textContent = element.dataset.tip;
    tip.hidden = false;
    const box = element.getBoundingClientRect();
    const below = box.bottom + 6 + tip.offsetHeight < innerHeight;
    tip.style.left = `${Math.max(4, Math.min(box.left, innerWidth - tip.offsetWidth - 8))}px`;
    tip.style.top = `${below ? box.bottom + 6 : Math.max(4, box.top - tip.offsetHeight - 6)}px`;
  };
  for (const event of ['pointerover', 'focusin', 'click']) document.addEventListener(event, show);
  document.addEventListener('scroll', hide, { passive: true, capture: true });
  document.addEventListener('keydown', ({ key }) => key === 'Escape' && hide());

  // Columns sort within each band; the third click gives the order of the report back.
  const ORDERS = { none: 'descending', descending: 'ascending', ascending: 'none' };
  const given = new WeakMap();
  const keyOf = (row, at) => {
    const cell = row.cells[at];
    const { v } = cell.dataset;
    return v === undefined ? (cell.classList.contains('name') ? cell.textContent.trim() : undefined) : Number(v);
  };
  const sort = (table, at, order) => {
    const sign = order === 'ascending' ? 1 : -1;
    for (const body of table.tBodies) {
      const rows = [...body.rows].filter((row) => !row.classList.contains('band'));
      if (!given.has(body)) given.set(body, [...rows]);
      if (order !== 'none') {
        rows.sort((a, b) => {
          const [x, y] = [keyOf(a, at), keyOf(b, at)];
          // What has no value comes last, up or down.
          if (x === undefined || y === undefined) return Number(x === undefined) - Number(y === undefined);
          return sign * (typeof x === 'string' ? x.localeCompare(y) : x - y);
        });
      }
      body.append(...(order === 'none' ? given.get(body) : rows));
    }
  };
  const sortable = (head) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.append(...head.childNodes);
    head.append(button);
    head.setAttribute('aria-sort', 'none');
    button.addEventListener('click', () => {
      const order = ORDERS[head.getAttribute('aria-sort')];
      for (const other of head.parentElement.cells)
        if (other.hasAttribute('aria-sort')) other.setAttribute('aria-sort', 'none');
      head.setAttribute('aria-sort', order);
      sort(head.closest('table'), head.cellIndex, order);
    });
  };
  for (const head of all('thead th[data-sort]')) sortable(head);

  // Methods and kinds of methods are switched, and found by words of their rows.
  const off = new Set();
  const search = document.getElementById('search');
  const count = document.getElementById('count');
  const chips = all('.chips button');
  const kinds = all('button[data-k]');
  const kindOf = new Map(chips.map((chip) => [chip.dataset.m, chip.dataset.kind]));
  const apply = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const has = (text) => words.every((word) => text.toLowerCase().includes(word));
    for (const element of all('tr[data-m], .legend li[data-m], svg [data-m], .concepts [data-m]')) {
      const { m, kind } = element.dataset;
      element.classList.toggle('off', off.has(m) || (kind === 'control' && off.has('\n control')));
      const row = element.tagName === 'TR';
      if (row || element.tagName === 'LI')
        element.classList.toggle('unfound', !has(row ? `${element.querySelector('.name').textContent} ${kind}` : m));
      else if (!has(m)) element.classList.add('off');
    }
    for (const chip of chips) chip.setAttribute('aria-pressed', String(!off.has(chip.dataset.m)));
    for (const kind of kinds) {
      const own = chips.filter((chip) => chip.dataset.kind === kind.dataset.k);
      kind.setAttribute('aria-pressed', String(own.some((chip) => !off.has(chip.dataset.m)) || own.length === 0));
    }
    const shown = chips.filter((chip) => !off.has(chip.dataset.m) && has(`${chip.dataset.m} ${chip.dataset.kind}`));
    count.textContent = `${shown.length} of ${chips.length}`;
  };
  const flip = (names) => {
    const hiding = names.some((name) => !off.has(name));
    for (const name of names) off[hiding ? 'add' : 'delete'](name);
    apply();
  };
  for (const chip of chips) chip.addEventListener('click', () => flip([chip.dataset.m]));
  for (const kind of kinds) {
    kind.addEventListener('click', () => {
      const own = [...kindOf].filter(([, each]) => each === kind.dataset.k).map(([name]) => name);
      // Rows that are the control of a method go with the controls.
      flip(kind.dataset.k === 'control' ? [...own, '\n control'] : own);
    });
  }
  for (const entry of all('.legend li[data-m]')) {
    entry.tabIndex = 0;
    entry.setAttribute('role', 'button');
    const turn = () => kindOf.has(entry.dataset.m) && flip([entry.dataset.m]);
    entry.addEventListener('click', turn);
    entry.addEventListener('keydown', ({ key }) => (key === 'Enter' || key === ' ') && turn());
  }
  search.addEventListener('input', apply);
  document.getElementById('reset').addEventListener('click', () => {
    off.clear();
    search.value = '';
    apply();
  });
  document.getElementById('theme').addEventListener('click', () => {
    const dark =
      root.classList.contains('dark') ||
      (!root.classList.contains('light') && matchMedia('(prefers-color-scheme: dark)').matches);
    root.classList.remove('dark', 'light');
    root.classList.add(dark ? 'light' : 'dark');
  });

  // A link into what is folded unfolds it; paper shows all.
  const unfold = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let each = target; each; each = each.parentElement) if (each.tagName === 'DETAILS') each.open = true;
    if (target) target.scrollIntoView();
  };
  addEventListener('hashchange', unfold);
  document.addEventListener('drawn', () => {
    for (const head of all('thead th[data-sort]:not([aria-sort])')) sortable(head);
    apply();
  });
  apply();
  unfold();
})();
