/** @file The browser of concepts: a concept a row, its score by each method; a click shows by what, and the steered texts. */
(() => {
  const data = document.getElementById('concept-data');
  if (!data) return;
  const tables = JSON.parse(data.textContent);
  const which = document.getElementById('concept-table');
  const words = document.getElementById('concept-search');
  const place = document.getElementById('concept-rows');
  const make = (name, text, fields = {}) => {
    const element = document.createElement(name);
    if (text !== undefined) element.textContent = text;
    for (const [field, value] of Object.entries(fields)) element.setAttribute(field, value);
    return element;
  };
  const shown = (score) => (score === null ? '–' : String(Number(score.toPrecision(3))));

  const figure = (item, images, lines) => {
    const shown = make('figure', undefined, { class: 'steered', 'data-tip': item });
    shown.append(
      images[item]
        ? make('img', undefined, { src: `data:image/webp;base64,${images[item]}`, alt: item })
        : make('code', item),
    );
    for (const line of lines) shown.append(make('small', line));
    return shown;
  };
  /** An image and, at each factor, the one that is nearest to where steering took it. */
  const strip = ({ item, answer, steered }, images) => {
    const row = make('div', undefined, { class: 'strip' });
    row.append(figure(item, images, ['as it is', answer]));
    for (const { factor, item: nearest, answer: after, overall } of steered)
      row.append(figure(nearest, images, [`factor ${factor}`, after, `overall ${overall}`]));
    return row;
  };

  /** What each method used for a concept, side by side. */
  const details = ({ methods, metric, images }, at) => {
    const cards = make('div', undefined, { class: 'cards' });
    for (const { name, kind, axes, scores, used } of methods) {
      const { by, examples = [], pictures = [] } = used[at] ?? {};
      if (!by && examples.length + pictures.length === 0) continue;
      const card = make('div', undefined, { class: 'card', 'data-m': name, 'data-kind': kind });
      card.append(
        make('b', name),
        make('div', `${metric} ${shown(scores[at])}; ${[axes, by].filter(Boolean).join('; ')}`),
      );
      for (const { prompt, text, ratings } of examples) {
        const quote = make('blockquote');
        if (prompt) quote.append(make('i', prompt), ' ');
        quote.append(text, make('small', ratings));
        card.append(quote);
      }
      for (const each of pictures) card.append(strip(each, images));
      if (pictures.length > 0) card.append(make('small', 'Nearest other held-out images to the steered embedding.'));
      cards.append(card);
    }
    if (!cards.hasChildNodes()) cards.append('No method tells what it used.');
    return cards;
  };

  const draw = () => {
    const table = tables[Number(which.value)];
    const { concepts, methods, metric, title, withheld } = table;
    const values = methods.flatMap(({ scores }) => scores.filter((score) => score !== null));
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const drawn = make('table');
    drawn.append(make('caption', `${metric} by concept and method. ${title}`));
    const head = make('tr');
    head.append(make('th', 'concept', { scope: 'col', class: 'name', 'data-sort': '' }));
    for (const { name, kind, axes } of methods)
      head.append(
        make('th', name, {
          scope: 'col',
          'data-sort': '',
          'data-m': name,
          'data-kind': kind,
          'data-tip': axes || name,
        }),
      );
    drawn.createTHead().append(head);
    const body = drawn.createTBody();
    for (const [at, { id, label }] of concepts.entries()) {
      const row = body.insertRow();
      const cell = make('th', undefined, { scope: 'row', class: 'name', 'data-tip': id });
      const button = make('button', label, { type: 'button', 'aria-expanded': 'false' });
      cell.append(button);
      row.append(cell);
      row.hidden = !`${id} ${label}`.toLowerCase().includes(words.value.toLowerCase());
      for (const { name, kind, scores } of methods) {
        const score = make('td', shown(scores[at]), { 'data-m': name, 'data-kind': kind });
        if (scores[at] !== null) {
          score.dataset.v = scores[at];
          const share = high > low ? Math.round((45 * (scores[at] - low)) / (high - low)) : 0;
          score.style.background = `color-mix(in srgb, #2a7fbf ${share}%, transparent)`;
        }
        row.append(score);
      }
      button.addEventListener('click', () => {
        const open = place.querySelector('.cards')?.dataset.at !== String(at);
        place.querySelector('.cards')?.remove();
        for (const each of drawn.querySelectorAll('[aria-expanded="true"]'))
          each.setAttribute('aria-expanded', 'false');
        if (!open) return;
        button.setAttribute('aria-expanded', 'true');
        const cards = details(table, at);
        cards.dataset.at = at;
        cards.prepend(make('h4', label));
        place.append(cards);
        document.dispatchEvent(new Event('drawn'));
        cards.scrollIntoView({ block: 'nearest' });
      });
    }
    const scroll = make('div', undefined, { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': title });
    scroll.append(drawn);
    place.replaceChildren(...(withheld ? [make('p', withheld, { class: 'warning' })] : []), scroll);
    document.dispatchEvent(new Event('drawn'));
  };

  which.append(...tables.map(({ title }, i) => make('option', title, { value: i })));
  which.addEventListener('change', draw);
  words.addEventListener('input', draw);
  draw();
})();
