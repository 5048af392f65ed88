//! Everything that the app says, in German and English.

mod notices;

use jiff::Timestamp;
use tresen_till::{Currency, Language, Money, Site, Target, Till, table_label};

/// Fixed words of one language.
pub(crate) struct Words {
    pub language: Language,
    pub who: &'static str,
    pub waiter: &'static str,
    pub manager: &'static str,
    pub owner: &'static str,
    pub search_hint: &'static str,
    pub more_guests: &'static str,
    pub enter_pin: &'static str,
    pub wrong_pin: &'static str,
    pub checking: &'static str,
    pub switch: &'static str,
    pub erase: &'static str,
    pub double_zero: &'static str,
    pub back: &'static str,
    pub close: &'static str,
    pub log_out: &'static str,
    pub tables: &'static str,
    pub mine: &'static str,
    pub all: &'static str,
    pub grid: &'static str,
    pub plan: &'static str,
    pub free: &'static str,
    pub direct_sale: &'static str,
    pub no_tables: &'static str,
    pub none_mine: &'static str,
    pub guests: &'static str,
    pub order: &'static str,
    pub pull_up: &'static str,
    pub pull_down: &'static str,
    pub search: &'static str,
    pub nothing_found: &'static str,
    pub no_products: &'static str,
    pub sold_out: &'static str,
    pub being_booked: &'static str,
    pub send: &'static str,
    pub pay: &'static str,
    pub nothing_ordered: &'static str,
    pub please_choose: &'static str,
    pub still_missing: &'static str,
    pub optional: &'static str,
    pub several: &'static str,
    pub note: &'static str,
    pub note_hint: &'static str,
    pub quantity: &'static str,
    pub more: &'static str,
    pub less: &'static str,
    pub add: &'static str,
    pub take_over: &'static str,
    pub repeat: &'static str,
    pub delete: &'static str,
    pub options: &'static str,
    pub done: &'static str,
    pub open_amount: &'static str,
    pub given: &'static str,
    pub exact: &'static str,
    pub change: &'static str,
    pub missing: &'static str,
    pub cash_received: &'static str,
    pub paid: &'static str,
    pub print: &'static str,
    pub receipt: &'static str,
}

const DE: Words = Words {
    language: Language::De,
    who: "Wer bist du?",
    waiter: "Service",
    manager: "Leitung",
    owner: "Inhaber",
    search_hint: "Name des Artikels",
    more_guests: "Oder genau",
    enter_pin: "PIN eingeben",
    wrong_pin: "Die PIN stimmt nicht.",
    checking: "Einen Moment …",
    switch: "Wechseln",
    erase: "Löschen",
    double_zero: "00",
    back: "Zurück",
    close: "Schließen",
    log_out: "Abmelden",
    tables: "Tische",
    mine: "Meine",
    all: "Alle",
    grid: "Liste",
    plan: "Plan",
    free: "frei",
    direct_sale: "Direktverkauf",
    no_tables: "Hier stehen keine Tische.",
    none_mine: "Du hast gerade keinen Tisch.",
    guests: "Gäste",
    order: "Bestellung",
    pull_up: "Bestellung groß zeigen",
    pull_down: "Bestellung klein zeigen",
    search: "Artikel suchen",
    nothing_found: "Nichts gefunden.",
    no_products: "Hier gibt es noch keine Artikel.",
    sold_out: "aus",
    being_booked: "wird gebucht …",
    send: "Senden",
    pay: "Zahlen",
    nothing_ordered: "Noch nichts bestellt",
    please_choose: "bitte wählen",
    still_missing: "fehlt noch: bitte wählen",
    optional: "wenn gewünscht",
    several: "mehrere möglich",
    note: "Notiz",
    note_hint: "Notiz für die Küche",
    quantity: "Menge",
    more: "Eins mehr",
    less: "Eins weniger",
    add: "Hinzufügen",
    take_over: "Übernehmen",
    repeat: "Noch einmal",
    delete: "Löschen",
    options: "Ändern",
    done: "Fertig",
    open_amount: "Offen",
    given: "Gegeben",
    exact: "passend",
    change: "Rückgeld",
    missing: "Es fehlen",
    cash_received: "Bar erhalten",
    paid: "Bezahlt",
    print: "Drucken",
    receipt: "Bon",
};

const EN: Words = Words {
    language: Language::En,
    who: "Who are you?",
    waiter: "Waiter",
    manager: "Manager",
    owner: "Owner",
    search_hint: "Name of the product",
    more_guests: "Or exactly",
    enter_pin: "Enter your PIN",
    wrong_pin: "Wrong PIN.",
    checking: "One moment …",
    switch: "Switch",
    erase: "Erase",
    double_zero: "00",
    back: "Back",
    close: "Close",
    log_out: "Log out",
    tables: "Tables",
    mine: "Mine",
    all: "All",
    grid: "List",
    plan: "Plan",
    free: "free",
    direct_sale: "Direct sale",
    no_tables: "No tables here.",
    none_mine: "You have no table right now.",
    guests: "Guests",
    order: "Order",
    pull_up: "Show the order larger",
    pull_down: "Show the order smaller",
    search: "Find a product",
    nothing_found: "Nothing found.",
    no_products: "No products here yet.",
    sold_out: "sold out",
    being_booked: "being booked …",
    send: "Send",
    pay: "Pay",
    nothing_ordered: "Nothing ordered yet",
    please_choose: "please choose",
    still_missing: "still missing: please choose",
    optional: "optional",
    several: "several possible",
    note: "Note",
    note_hint: "Note for the kitchen",
    quantity: "Quantity",
    more: "One more",
    less: "One fewer",
    add: "Add",
    take_over: "Apply",
    repeat: "Once more",
    delete: "Delete",
    options: "Change",
    done: "Done",
    open_amount: "Due",
    given: "Given",
    exact: "exact",
    change: "Change",
    missing: "Missing",
    cash_received: "Cash received",
    paid: "Paid",
    print: "Print",
    receipt: "Receipt",
};

impl Words {
    /// The words of a language.
    pub fn of(language: Language) -> &'static Self {
        match language {
            Language::De => &DE,
            Language::En => &EN,
        }
    }

    /// An amount with its currency.
    pub fn amount(&self, money: Money, currency: Currency) -> String {
        money.format(currency, self.language)
    }

    /// An amount without its currency.
    pub fn plain(&self, money: Money, currency: Currency) -> String {
        money.format_plain(currency, self.language)
    }

    /// What a place is called: `Tisch 4`, `Direktverkauf`.
    pub fn place(&self, target: &Target, till: &Till) -> String {
        match target {
            Target::Table(table) => {
                till.table(*table).map_or_else(String::new, |table| self.table(&table.name))
            }
            Target::Direct(_) => self.direct_sale.into(),
            Target::Check(check) => {
                till.check(*check).map_or_else(String::new, |check| self.place(&check.place.into(), till))
            }
        }
    }

    /// `Tisch 4`; a name that is no number speaks for itself.
    pub fn table(&self, name: &str) -> String {
        table_label(name, self.language)
    }

    /// `2 Gäste`.
    pub fn guest_count(&self, guests: u16) -> String {
        match (guests, self.language) {
            (0, _) => self.guests.into(),
            (1, Language::De) => "1 Gast".into(),
            (1, Language::En) => "1 guest".into(),
            (_, Language::De) => format!("{guests} Gäste"),
            (_, Language::En) => format!("{guests} guests"),
        }
    }

    /// `5 Artikel`.
    pub fn item_count(&self, items: u32) -> String {
        match (items, self.language) {
            (_, Language::De) => format!("{items} Artikel"),
            (1, Language::En) => "1 item".into(),
            (_, Language::En) => format!("{items} items"),
        }
    }

    /// `38 min`, `2 h 05`.
    pub fn minutes(&self, minutes: i64) -> String {
        match minutes {
            0..=99 => format!("{minutes} min"),
            _ => format!("{} h {:02}", minutes / 60, minutes % 60),
        }
    }

    /// When a line went to the kitchen, and who had added it.
    pub fn sent_at(&self, clock: &str, by: &str) -> String {
        match self.language {
            Language::De => format!("{by}, gesendet um {clock}"),
            Language::En => format!("{by}, sent at {clock}"),
        }
    }

    /// When a line was added, and by whom.
    pub fn added_at(&self, clock: &str, by: &str) -> String {
        match self.language {
            Language::De => format!("{by}, {clock} Uhr"),
            Language::En => format!("{by}, {clock}"),
        }
    }

    /// `Zu viele falsche PINs. Weiter in 12 s.`, `… Weiter um 19:42:07.`: when a PIN can be tried again.
    pub fn wait(&self, until: Timestamp, now: Timestamp, site: &Site) -> String {
        let time = site.local(until).strftime("%H:%M:%S").to_string();
        let seconds = (until.as_second() - now.as_second()).max(0);
        match (self.language, seconds <= 90) {
            (Language::De, true) => format!("Zu viele falsche PINs. Weiter in {} s.", seconds.max(1)),
            (Language::En, true) => format!("Too many wrong PINs. Try again in {} s.", seconds.max(1)),
            (Language::De, false) => format!("Zu viele falsche PINs. Weiter um {time}."),
            (Language::En, false) => format!("Too many wrong PINs. Try again at {time}."),
        }
    }
}

/// Whole minutes that passed, never negative.
pub(crate) fn minutes_between(from: Timestamp, to: Timestamp) -> i64 {
    ((to.as_second() - from.as_second()) / 60).max(0)
}

/// The time of day at the site: `19:42`.
pub(crate) fn clock(site: &Site, at: Timestamp) -> String {
    site.local(at).strftime("%H:%M").to_string()
}
