/** @file The browser of latents: of a method at a place, a card a latent with what drives it and what it says. */
(() => {
  const data = document.getElementById('latent-data');
  if (!data) return;
  const places = JSON.parse(data.textContent);
  const [which, method, words, cards] = ['place', 'method', 'search', 'cards'].map((name) =>
    document.getElementById(`latent-${name}`),
  );
  const make = (name, text, fields = {}) => {
    const element = document.createElement(name);
    if (text !== undefined) element.textContent = text;
    for (const [field, value] of Object.entries(fields)) element.setAttribute(field, value);
    return element;
  };
  const options = (select, names) =>
    select.replaceChildren(...names.map((name, i) => make('option', name, { value: i })));
  const percent = (share) => `${Number((100 * share).toPrecision(2))} %`;
  const WHY = { concept: 'chosen for a concept', score: 'of high MS score', random: 'at random' };

  /** A text with its tokens marked, or the picture, or the id alone where items are private. */
  const example = ({ item, value, pieces, grades }, images) => {
    if (images[item])
      return make('img', undefined, {
        src: `data:image/webp;base64,${images[item]}`,
        alt: item,
        'data-tip': `${item}: ${value}`,
      });
    const quote = make('blockquote');
    if (!pieces) quote.append(make('code', item));
    for (const [i, piece] of (pieces ?? []).entries()) {
      const grade = grades?.[i] ?? 0;
      if (grade === 0) quote.append(piece);
      else
        quote.append(
          make('mark', piece, { style: `--grade: ${grade}`, 'data-tip': `${grade}/9 of the largest value` }),
        );
    }
    quote.append(make('small', `largest value ${value}`));
    return quote;
  };

  const card = (latent, { images, logits }) => {
    const { latent: number, sign, why, label, fires, ms, concepts = [], examples, tokens, from } = latent;
    const shown = make('div', undefined, { class: 'card' });
    shown.append(make('b', `latent ${number}${sign < 0 ? ', negated' : ''}${label ? `: ${label}` : ''}`));
    const facts = [
      WHY[why],
      ...(fires === undefined ? [] : [`fires on ${percent(fires)}`]),
      ...(ms === undefined ? [] : [`MS ${Number(ms.toPrecision(3))}`]),
    ];
    shown.append(make('div', facts.join('; ')));
    if (concepts.length > 0) {
      const list = make('ul');
      // Several selections may take one latent for a concept.
      const ways = new Map();
      for (const each of concepts) ways.set(each.id, [...(ways.get(each.id) ?? []), each]);
      for (const own of ways.values()) {
        const [{ id, label: name, auroc }] = own;
        const by = own.map(({ selection }) => selection);
        list.append(make('li', `${name}: AUROC ${auroc.toFixed(3)} (${by.join(', ')})`, { 'data-tip': id }));
      }
      shown.append(list);
    }
    if (tokens) {
      const said = make('div', 'says ', { 'data-tip': logits });
      said.append(...tokens.map((token) => make('code', token)));
      shown.append(said);
    }
    for (const each of examples) shown.append(example(each, images));
    shown.append(make('small', examples.length > 0 ? `Largest on ${from}.` : `Active on none of ${from}.`));
    return shown;
  };

  const draw = () => {
    const place = places[Number(which.value)];
    const { latents, rules, seed, logits } = place.methods[Number(method.value)];
    const wanted = words.value.toLowerCase();
    const has = ({ latent, label = '', concepts = [], tokens = [], examples }) =>
      [
        latent,
        label,
        ...concepts.map((each) => each.label),
        ...tokens,
        ...examples.map(({ pieces = [] }) => pieces.join('')),
      ]
        .join(' ')
        .toLowerCase()
        .includes(wanted);
    const found = make('div', undefined, { class: 'cards' });
    found.append(...latents.filter(has).map((each) => card(each, { images: place.images, logits })));
    if (!found.hasChildNodes()) found.append('No latent has these words.');
    cards.replaceChildren(make('p', `Seed ${seed}: ${rules.join('; ')}.`, { class: 'note' }), found);
  };
  const choose = () => {
    // The same method at the next place, where it stands there.
    const before = method.selectedOptions[0]?.textContent;
    const names = places[Number(which.value)].methods.map(({ name }) => name);
    options(method, names);
    method.value = Math.max(0, names.indexOf(before));
    draw();
  };
  options(
    which,
    places.map(({ title }) => title),
  );
  which.addEventListener('change', choose);
  method.addEventListener('change', draw);
  words.addEventListener('input', draw);
  choose();
})();
