// What assistive technology and tests see of the canvas: transparent elements in the place of what is drawn, kept while they stay the
// same. A list that scrolls is an element that scrolls, so that whoever looks for something scrolls the canvas to it.

const TOUCH = 0;
const FIELD = 1;
const ITEM_NUMBERS = 8;
const AREA_NUMBERS = 6;
const ROLE = { tab: 1, heading: 3, status: 5, image: 6 };
const INPUT_MODES = ['text', 'numeric', 'search'];

export class OutlineView {
  /** `handlers`: `edit(text)`, `beginEditing(item)`, `endEditing()`, `scroll(area, offset in device pixels)`. */
  constructor(root, handlers) {
    this.root = root;
    this.handlers = handlers;
    this.elements = new Map();
    this.areas = [];
  }

  /** Follows the screen. */
  update(handheld, ratio) {
    handheld.refresh_outline();
    const numbers = handheld.outline_items();
    const labels = handheld.outline_labels();
    const values = handheld.outline_values();
    const areas = handheld.outline_areas();
    const items = labels.map((label, index) => {
      const [kind, role, area, x, y, w, h, state] = numbers.subarray(index * ITEM_NUMBERS, (index + 1) * ITEM_NUMBERS);
      return { index, kind, role, area, x, y, w, h, state, label, value: values[index] };
    });
    this.updateAreas(areas, items, ratio);
    this.updateItems(items, areas, ratio);
  }

  /** The element of an item that is edited. */
  input(index) {
    return [...this.elements.values()].find((element) => element.item === index && element.matches('input'));
  }

  updateAreas(numbers, items, ratio) {
    const count = numbers.length / AREA_NUMBERS;
    while (this.areas.length > count) this.areas.pop().remove();
    while (this.areas.length < count) this.areas.push(this.newArea(this.areas.length));
    this.areas.forEach((element, index) => {
      const [x, y, w, h, height, offset] = numbers.subarray(index * AREA_NUMBERS, (index + 1) * AREA_NUMBERS);
      place(element, x, y, w, h, ratio);
      style(element.firstChild, 'height', `${height / ratio}px`);
      style(element, 'zIndex', String(2 * Math.max(0, items.findIndex((item) => item.area === index))));
      element.applied = offset / ratio;
      if (Math.abs(element.scrollTop - element.applied) >= 1) element.scrollTop = element.applied;
    });
  }

  newArea(index) {
    const element = document.createElement('div');
    element.className = 'area';
    element.append(document.createElement('div'));
    element.firstChild.className = 'content';
    element.addEventListener('scroll', () => {
      if (Math.abs(element.scrollTop - element.applied) >= 1) this.handlers.scroll(index, element.scrollTop);
    });
    this.root.append(element);
    return element;
  }

  updateItems(items, areas, ratio) {
    const before = this.elements;
    this.elements = new Map();
    const previous = new Map();
    for (const item of items) {
      const key = this.keyOf(item);
      const element = before.get(key) ?? this.newElement(item);
      before.delete(key);
      this.elements.set(key, element);
      const parent = item.area < 0 ? this.root : this.areas[item.area].firstChild;
      const after = previous.get(parent) ?? null;
      const wanted = after ? after.nextSibling : parent.firstChild;
      if (wanted !== element) parent.insertBefore(element, wanted);
      previous.set(parent, element);
      this.show(element, item, areas, ratio);
    }
    for (const element of before.values()) element.remove();
  }

  /** The same name in the same list is the same thing; what is announced stays one element whatever it says. */
  keyOf(item) {
    const said = item.kind === TOUCH || item.role !== ROLE.status ? item.label : '';
    const key = `${item.kind} ${item.role} ${item.area} ${said}`;
    let count = 0;
    while (this.elements.has(`${key} ${count}`)) count += 1;
    return `${key} ${count}`;
  }

  newElement(item) {
    const element = document.createElement({ [TOUCH]: 'button', [FIELD]: 'input' }[item.kind] ?? 'div');
    if (item.kind === TOUCH) {
      element.type = 'button';
      if (item.role === ROLE.tab) element.setAttribute('role', 'tab');
    } else if (item.kind === FIELD) {
      this.listen(element);
    } else {
      element.className = 'label';
      const role = { [ROLE.heading]: 'heading', [ROLE.status]: 'status', [ROLE.image]: 'img' }[item.role];
      if (role) element.setAttribute('role', role);
    }
    return element;
  }

  listen(element) {
    element.autocomplete = 'off';
    element.addEventListener('focus', () => this.handlers.beginEditing(element.item));
    element.addEventListener('input', () => this.handlers.edit(element.value));
    element.addEventListener('blur', () => this.handlers.endEditing());
  }

  show(element, item, areas, ratio) {
    element.item = item.index;
    const base = item.area * AREA_NUMBERS;
    const [dx, dy] = item.area < 0 ? [0, 0] : [areas[base], areas[base + 1] - areas[base + 5]];
    place(element, item.x - dx, item.y - dy, item.w, item.h, ratio);
    style(element, 'zIndex', String(2 * item.index + 1));
    if (item.kind === FIELD) {
      attribute(element, 'aria-label', item.label);
      attribute(element, 'inputmode', INPUT_MODES[item.state]);
      if (element !== document.activeElement && element.value !== item.value) element.value = item.value;
      return;
    }
    if (item.role === ROLE.image) attribute(element, 'aria-label', item.label);
    else if (element.textContent !== item.label) element.textContent = item.label;
    if (item.kind === TOUCH) {
      const selected = item.state & 1 ? 'true' : null;
      attribute(element, item.role === ROLE.tab ? 'aria-selected' : 'aria-pressed', selected);
      attribute(element, 'aria-disabled', item.state & 2 ? 'true' : null);
    }
  }
}

function place(element, x, y, w, h, ratio) {
  style(element, 'left', `${x / ratio}px`);
  style(element, 'top', `${y / ratio}px`);
  style(element, 'width', `${w / ratio}px`);
  style(element, 'height', `${h / ratio}px`);
}

function style(element, name, value) {
  if (element.style[name] !== value) element.style[name] = value;
}

function attribute(element, name, value) {
  if (element.getAttribute(name) === value) return;
  if (value === null) element.removeAttribute(name);
  else element.setAttribute(name, value);
}
