//! Printed lines: the one layout for screen, paper and picture. Every character is one column wide.

use jiff::civil::DateTime;

use crate::receipt::{Receipt, ReceiptLine};
use crate::{Language, Money, Rate, Site, Ticket, table_label};

/// How a line is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Plain.
    Normal,
    /// Bold.
    Strong,
}

/// Where a line stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// At the left; columns are made of spaces.
    Left,
    /// In the middle; the printer pads.
    Center,
}

/// One printed line, at most as long as the columns it was made for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrintLine {
    /// Its text, no control characters.
    pub text: String,
    /// How it is set.
    pub style: Style,
    /// Where it stands.
    pub align: Align,
}

/// Fewest columns that a print may have.
const COLUMNS_MIN: usize = 24;
/// Width of the column of amounts.
const AMOUNT_COLUMNS: usize = 9;
/// From here on the table of taxes has gross sums too.
const WIDE_COLUMNS: usize = 40;

/// A receipt for paper of so many columns (32, 42, 48; at least 24).
pub fn lines(receipt: &Receipt, site: &Site, language: Language, columns: usize) -> Vec<PrintLine> {
    let mut page = Page::new(columns);
    letterhead(&mut page, site);
    page.blank();
    heading(&mut page, receipt, site, language);
    page.rule();
    for line in &receipt.lines {
        page.item(line, &|amount| amount.format_plain(receipt.currency, language));
    }
    page.rule();
    totals(&mut page, receipt, language);
    page.blank();
    taxes(&mut page, receipt, language);
    if !site.tax_number.is_empty() || !site.farewell.is_empty() {
        page.blank();
    }
    page.center(&site.tax_number, Style::Normal);
    page.center(&site.farewell, Style::Normal);
    page.lines
}

/// A preparation ticket for paper of so many columns.
pub fn ticket_lines(ticket: &Ticket, site: &Site, language: Language, columns: usize) -> Vec<PrintLine> {
    let mut page = Page::new(columns);
    page.center(&ticket.preparation_name.to_uppercase(), Style::Strong);
    let place = place(ticket.table.as_deref(), language);
    page.pair(&place, &clock(site.local(ticket.at)), Style::Strong);
    page.pair(&ticket.staff_name, &format!("#{}", ticket.id), Style::Normal);
    page.rule();
    for line in &ticket.lines {
        page.wrapped(&format!("{} x {}", line.quantity, line.name), 0, Style::Strong);
        for modifier in &line.modifiers {
            page.wrapped(modifier, 4, Style::Normal);
        }
        if !line.note.is_empty() {
            page.wrapped(&format!("! {}", line.note), 4, Style::Strong);
        }
    }
    page.lines
}

struct Words {
    direct: &'static str,
    served_by: &'static str,
    receipt: &'static str,
    total: &'static str,
    rounding: &'static str,
    due: &'static str,
    cash: &'static str,
    change: &'static str,
    net: &'static str,
    tax: &'static str,
    gross: &'static str,
}

impl Words {
    const fn of(language: Language) -> &'static Words {
        match language {
            Language::De => &Words {
                direct: "Direktverkauf",
                served_by: "Es bediente Sie",
                receipt: "Bon",
                total: "SUMME",
                rounding: "Rundung",
                due: "Zu zahlen",
                cash: "Bar",
                change: "Rückgeld",
                net: "Netto",
                tax: "MwSt",
                gross: "Brutto",
            },
            Language::En => &Words {
                direct: "Direct sale",
                served_by: "Served by",
                receipt: "Receipt",
                total: "TOTAL",
                rounding: "Rounding",
                due: "Due",
                cash: "Cash",
                change: "Change",
                net: "Net",
                tax: "VAT",
                gross: "Gross",
            },
        }
    }
}

fn letterhead(page: &mut Page, site: &Site) {
    page.center(&site.name.to_uppercase(), Style::Strong);
    for line in &site.address {
        page.center(line, Style::Normal);
    }
}

fn heading(page: &mut Page, receipt: &Receipt, site: &Site, language: Language) {
    let words = Words::of(language);
    let local = site.local(receipt.at);
    let date = match language {
        Language::De => local.strftime("%d.%m.%Y %H:%M").to_string(),
        Language::En => local.strftime("%d %b %Y %H:%M").to_string(),
    };
    page.pair(&place(receipt.table.as_deref(), language), &date, Style::Normal);
    let number = format!("{} {}", words.receipt, receipt.number);
    page.pair(&format!("{} {}", words.served_by, receipt.staff_name), &number, Style::Normal);
}

fn totals(page: &mut Page, receipt: &Receipt, language: Language) {
    let words = Words::of(language);
    let amount = |money: Money| money.format_plain(receipt.currency, language);
    page.sum(&format!("{} {}", words.total, receipt.currency.code()), &amount(receipt.total), Style::Strong);
    if !receipt.rounding.is_zero() {
        page.sum(words.rounding, &amount(receipt.rounding), Style::Normal);
        page.sum(words.due, &amount(receipt.due()), Style::Strong);
    }
    page.sum(words.cash, &amount(receipt.tendered), Style::Normal);
    page.sum(words.change, &amount(receipt.change), Style::Normal);
}

fn taxes(page: &mut Page, receipt: &Receipt, language: Language) {
    let words = Words::of(language);
    let amount = |money: Money| money.format_plain(receipt.currency, language);
    page.table_row("", &[words.net, words.tax, words.gross].map(String::from));
    for sum in &receipt.taxes {
        let rate = format!("{} {:>5} %", sum.letter, percent(sum.rate, language));
        page.table_row(&rate, &[amount(sum.net), amount(sum.tax), amount(sum.gross)]);
    }
}

fn place(table: Option<&str>, language: Language) -> String {
    match table {
        Some(name) => table_label(name, language),
        None => Words::of(language).direct.to_owned(),
    }
}

fn clock(local: DateTime) -> String {
    local.strftime("%H:%M").to_string()
}

fn percent(rate: Rate, language: Language) -> String {
    let point = match language {
        Language::De => ',',
        Language::En => '.',
    };
    format!("{}{point}{:02}", rate.0 / 100, rate.0 % 100)
}

/// Lines under construction.
struct Page {
    columns: usize,
    lines: Vec<PrintLine>,
}

impl Page {
    fn new(columns: usize) -> Page {
        Page { columns: columns.max(COLUMNS_MIN), lines: Vec::new() }
    }

    fn push(&mut self, text: String, style: Style, align: Align) {
        debug_assert!(text.chars().count() <= self.columns, "a printed line fits its paper");
        self.lines.push(PrintLine { text, style, align });
    }

    fn blank(&mut self) {
        self.push(String::new(), Style::Normal, Align::Left);
    }

    fn rule(&mut self) {
        self.push("-".repeat(self.columns), Style::Normal, Align::Left);
    }

    fn center(&mut self, text: &str, style: Style) {
        for line in wrap(text, self.columns) {
            self.push(line, style, Align::Center);
        }
    }

    fn wrapped(&mut self, text: &str, indent: usize, style: Style) {
        for line in wrap(text, self.columns - indent) {
            self.push(format!("{:indent$}{line}", ""), style, Align::Left);
        }
    }

    /// Text at both edges; on lines of their own when they don't fit beside each other.
    fn pair(&mut self, left: &str, right: &str, style: Style) {
        let right_columns = right.chars().count();
        let left_columns = left.chars().count();
        if left_columns + 1 + right_columns <= self.columns {
            let gap = self.columns - left_columns - right_columns;
            self.push(format!("{left}{:gap$}{right}", ""), style, Align::Left);
        } else {
            self.wrapped(left, 0, style);
            for line in wrap(right, self.columns) {
                self.push(format!("{line:>columns$}", columns = self.columns), style, Align::Left);
            }
        }
    }

    /// A sum: its amount stands under the amounts of the items.
    fn sum(&mut self, word: &str, amount: &str, style: Style) {
        self.pair(word, &format!("{amount}  "), style);
    }

    fn item(&mut self, line: &ReceiptLine, amount: &dyn Fn(Money) -> String) {
        let mut text = line.name.to_string();
        for (index, modifier) in line.modifiers.iter().enumerate() {
            text.push_str(if index == 0 { " " } else { ", " });
            text.push_str(modifier);
        }
        let mut right = format!("{:>AMOUNT_COLUMNS$} {}", amount(line.total), line.letter);
        if line.quantity > 1 {
            right = format!(" {:>7}{right}", amount(line.unit_price));
        }
        let count = line.quantity.to_string();
        let indent = count.len() + 1;
        let left_columns = self.columns.saturating_sub(right.chars().count() + indent).max(8);
        for (index, part) in wrap(&text, left_columns).into_iter().enumerate() {
            if index == 0 {
                self.pair(&format!("{count} {part}"), right.trim_start(), Style::Normal);
            } else {
                self.wrapped(&part, indent, Style::Normal);
            }
        }
    }

    fn table_row(&mut self, head: &str, cells: &[String; 3]) {
        const HEAD_COLUMNS: usize = 9;
        let cells = if self.columns < WIDE_COLUMNS { &cells[..2] } else { &cells[..] };
        let width = (self.columns - HEAD_COLUMNS - 2) / cells.len();
        let mut text = format!("{head:<HEAD_COLUMNS$}");
        for cell in cells {
            text.push_str(&format!("{cell:>width$}"));
        }
        self.wrapped(&text, 0, Style::Normal);
    }
}

/// Breaks at spaces, inside a word only when it is longer than a line. Runs of spaces inside a line stay.
fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let clean: Vec<char> =
        text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    let mut rest = &clean[..];
    while rest.len() > columns {
        let at = rest[..=columns]
            .iter()
            .rposition(|letter| *letter == ' ')
            .filter(|at| *at > 0)
            .unwrap_or(columns);
        lines.push(rest[..at].iter().collect());
        rest = &rest[at..];
        while rest.first() == Some(&' ') {
            rest = &rest[1..];
        }
    }
    if !rest.is_empty() {
        lines.push(rest.iter().collect());
    }
    lines
}
