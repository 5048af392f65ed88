"""The reference till under X11 (Tk), 720x1280: what `loadtest/src/reference` is for Tresen.

After every tap it prints what it shows, in the words of `reference/script.txt`, so that whoever taps can check that it was understood.
Colours, places, text sizes and labels are part of the measurement: leave them alone.
"""

import tkinter as tk

WIDTH, HEIGHT = 720, 1280
GROUND, DARK, ACCENT, GREEN = "#f3f4f6", "#1f2937", "#2563eb", "#16a34a"
COLOURS = {"Drinks": "#dbeafe", "Food": "#fee2e2", "Snacks": "#fef9c3", "Coffee": "#ede9fe", "Other": "#dcfce7"}
NAMES = {
    "Drinks": "Cola 0.33,Water,Orange juice,Lemonade,Iced tea,Beer 0.5,Wine red,Wine white,Tonic,Ginger ale,"
    "Smoothie,Milk,Cocoa,Syrup,Energy,Cider",
    "Food": "Burger,Cheeseburger,Fries,Salad,Soup,Pizza M,Pizza L,Pasta,Wrap,Hot dog,Steak,Fish,Rice bowl,Curry,"
    "Kebab,Falafel",
    "Snacks": "Chips,Nuts,Pretzel,Choco bar,Gummies,Cookies,Popcorn,Crackers,Muesli,Banana,Apple,Donut,Muffin,"
    "Brownie,Ice cream,Waffle",
    "Coffee": "Espresso,Doppio,Macchiato,Cappuccino,Latte,Flat white,Americano,Mocha,Filter,Decaf,Chai,Green tea,"
    "Black tea,Mint tea,Matcha,Affogato",
    "Other": "Bag,Gift card,Deposit,Newspaper,Umbrella,Mug,T-shirt,Postcard,Map,Battery,Charger,SIM card,Stamp,Pen,"
    "Notebook,Ticket",
}
NAMES = {tab: names.split(",") for tab, names in NAMES.items()}
TABS = list(NAMES)
KEYS = ["7", "8", "9", "4", "5", "6", "1", "2", "3", "00", "0", "<"]
ROWS = 8


def price(index):
    return 120 + ((index * 37) % 90) * 10


def money(cents):
    return f"{cents // 100}.{cents % 100:02}"


class Till:
    def __init__(self, root):
        self.cart, self.tab, self.digits, self.offset = [], "Drinks", "", 0
        self.sale, self.pay, self.receipt = (tk.Frame(root, bg=GROUND) for _ in range(3))
        for page in (self.sale, self.pay, self.receipt):
            page.place(x=0, y=0, width=WIDTH, height=HEIGHT)
        self.make_sale()
        self.make_pay()
        self.make_receipt()
        self.show_tab("Drinks")
        self.show_cart()
        self.front(self.sale)

    # Each page once; afterwards only texts and colours change.

    def label(self, page, size, x, y, width, height, weight="normal", family="DejaVu Sans", **more):
        label = tk.Label(page, font=(family, size, weight), **more)
        label.place(x=x, y=y, width=width, height=height)
        return label

    def button(self, page, text, x, y, width, height, ground, ink, size, act, weight="normal"):
        look = {"bd": 0, "highlightthickness": 1, "highlightbackground": "#d1d5db"}
        label = self.label(page, size, x, y, width, height, weight, text=text, bg=ground, fg=ink, **look)
        label.bind("<Button-1>", lambda _: (act(), self.tell()))
        return label

    def make_sale(self):
        title = "Store 12  ·  Till 3  ·  Anna"
        self.label(self.sale, 18, 0, 0, WIDTH, 64, text=title, bg=DARK, fg="white", anchor="w", padx=16)
        self.tabs = [
            self.button(self.sale, tab, i * 144, 64, 144, 64, "white", DARK, 16, lambda tab=tab: self.show_tab(tab))
            for i, tab in enumerate(TABS)
        ]
        self.products = [
            self.button(
                self.sale, "", 8 + i % 4 * 177, 136 + i // 4 * 132, 172, 126, "white", DARK, 15, lambda i=i: self.add(i)
            )
            for i in range(16)
        ]
        row = {"bg": "white", "fg": DARK, "padx": 10}
        self.rows = [
            (
                self.label(self.sale, 16, 8, 670 + i * 52, 520, 50, anchor="w", **row),
                self.label(self.sale, 16, 528, 670 + i * 52, 184, 50, anchor="e", **row),
            )
            for i in range(ROWS)
        ]
        self.sum = self.label(self.sale, 26, 0, 1090, WIDTH, 80, "bold", bg=DARK, fg="white", anchor="e", padx=16)
        self.button(self.sale, "Up", 8, 1180, 100, 92, "white", DARK, 16, lambda: self.scroll(-1))
        self.button(self.sale, "Down", 112, 1180, 100, 92, "white", DARK, 16, lambda: self.scroll(1))
        self.button(self.sale, "Void", 216, 1180, 150, 92, "#fecaca", DARK, 18, self.clear)
        self.button(self.sale, "PAY", 370, 1180, 342, 92, GREEN, "white", 28, self.go_pay, "bold")

    def make_pay(self):
        self.due = self.label(self.pay, 30, 0, 0, WIDTH, 140, "bold", bg=DARK, fg="white")
        self.given = self.label(self.pay, 40, 8, 156, 704, 120, bg="white", fg=DARK, anchor="e", padx=24)
        self.change = self.label(self.pay, 22, 8, 290, 704, 60, bg=GROUND, fg="#6b7280")
        for i, key in enumerate(KEYS):
            x, y = 8 + i % 3 * 236, 370 + i // 3 * 170
            self.button(self.pay, key, x, y, 232, 164, "white", DARK, 34, lambda key=key: self.key(key))
        self.button(self.pay, "Back", 8, 1070, 232, 190, "#e5e7eb", DARK, 24, lambda: self.front(self.sale))
        self.button(self.pay, "CASH OK", 244, 1070, 468, 190, GREEN, "white", 34, self.done, "bold")

    def make_receipt(self):
        look = {"bg": "white", "fg": DARK, "justify": "left", "anchor": "nw", "padx": 40, "pady": 40}
        self.paper = self.label(self.receipt, 16, 40, 40, 640, 1000, family="DejaVu Sans Mono", **look)
        self.button(self.receipt, "NEW SALE", 40, 1070, 640, 190, ACCENT, "white", 34, self.new_sale, "bold")

    # What taps do.

    def total(self):
        return sum(cents * count for _, cents, count in self.cart)

    def show_tab(self, tab):
        self.tab = tab
        for label, name in zip(self.tabs, TABS):
            label.configure(bg=ACCENT if name == tab else "white", fg="white" if name == tab else DARK)
        for i, label in enumerate(self.products):
            label.configure(text=f"{NAMES[tab][i]}\n{money(price(i))}", bg=COLOURS[tab])

    def visible(self):
        return self.cart[self.offset : self.offset + ROWS]

    def show_cart(self):
        lines = [(f"{count} x {name}", money(cents * count)) for name, cents, count in self.visible()]
        for (left, right), (what, amount) in zip(self.rows, lines + [("", "")] * (ROWS - len(lines))):
            left.configure(text=what)
            right.configure(text=amount)
        self.sum.configure(text=f"Total  {money(self.total())} EUR")

    def add(self, index):
        name = NAMES[self.tab][index]
        for i, (known, cents, count) in enumerate(self.cart):
            if known == name:
                self.cart[i] = (known, cents, count + 1)
                break
        else:
            self.cart.append((name, price(index), 1))
        self.offset = max(0, len(self.cart) - ROWS)
        self.show_cart()

    def scroll(self, by):
        self.offset = max(0, min(max(0, len(self.cart) - ROWS), self.offset + by))
        self.show_cart()

    def clear(self):
        self.cart.clear()
        self.offset = 0
        self.show_cart()

    def go_pay(self):
        self.digits = ""
        self.due.configure(text=f"To pay {money(self.total())} EUR")
        self.show_given()
        self.front(self.pay)

    def key(self, key):
        self.digits = self.digits[:-1] if key == "<" else (self.digits + key)[:8]
        self.show_given()

    def show_given(self):
        self.given.configure(text=money(int(self.digits or 0)))
        self.change.configure(text=f"Change {money(max(0, int(self.digits or 0) - self.total()))}")

    def done(self):
        lines = [f"{count:>2} x {name:<16}{money(cents * count):>8}" for name, cents, count in self.cart]
        cash = money(int(self.digits or 0))
        ends = [f"{'TOTAL':<21}{money(self.total()):>8}", f"{'CASH':<21}{cash:>8}"]
        self.paper.configure(text="\n".join(["ACME STORE 12", "", *lines, "", *ends]))
        self.front(self.receipt)

    def new_sale(self):
        self.clear()
        self.front(self.sale)

    def front(self, page):
        self.page = page
        page.tkraise()

    # What whoever taps can check.

    def tell(self):
        if self.page is self.sale:
            rows = ", ".join(f"{count} x {name}={money(cents * count)}" for name, cents, count in self.visible())
            print(f"sale {self.tab} | {self.sum['text']} | {rows}", flush=True)
        elif self.page is self.pay:
            print(f"pay | {self.due['text']} | {self.given['text']} | {self.change['text']}", flush=True)
        else:
            print("receipt | " + " / ".join(self.paper["text"].split("\n")), flush=True)


root = tk.Tk()
root.geometry(f"{WIDTH}x{HEIGHT}+0+0")
root.overrideredirect(True)
root.configure(bg=GROUND)
Till(root)
root.update()
print("ready", flush=True)
root.mainloop()
