//! The catalogue: what is sold, at which price, with which photo.

use axum::extract::{Extension, Form, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use tresen_till::{Language, Manage, Money, Product, ProductId, Service, limits};

use super::Office;
use super::gate::Visitor;
use super::page::{Flash, Place, draw, draw_with};
use super::texts::put;
use super::views::{CatalogueGroup, CataloguePage, ProductPage, ProductRow};
use super::{photo, refusals};

/// Digits behind the comma of every currency that we know.
const MINOR_DIGITS: usize = 2;

/// All products, by group.
pub(crate) async fn list(State(office): State<Office>, Extension(visitor): Extension<Visitor>) -> Response {
    let frame = visitor.frame(&office, Place::Catalogue);
    let till = office.site.ledger.till();
    let group = |group: &tresen_till::Group| {
        let products = till.catalog().products_in(group.id);
        let rows: Vec<ProductRow> = products.map(|product| row(&office, frame.language, product)).collect();
        let pictured = rows.iter().filter(|row| row.photo.is_some()).count();
        let name = group.name.to_string();
        let with_photo = put(&put(frame.t.with_photo, pictured), rows.len());
        CatalogueGroup { id: group.id.0, name, with_photo, rows }
    };
    let groups = till.catalog().groups().map(group).collect();
    draw(&CataloguePage { groups, frame })
}

/// One product: its photo, and what may be changed.
pub(crate) async fn form(
    State(office): State<Office>,
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<u32>,
) -> Response {
    match page_of(&office, &visitor, ProductId(id)) {
        Some(page) => draw(&page),
        None => office.not_found(&visitor),
    }
}

/// What the form says.
#[derive(Deserialize)]
pub(crate) struct Changed {
    name: String,
    price: String,
    sold: Sold,
}

/// Whether it can be ordered, as the form names it.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Sold {
    Yes,
    Out,
}

/// Changes name, price, and whether it can be ordered. What was ordered keeps its name and price.
pub(crate) async fn save(
    State(office): State<Office>,
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<u32>,
    Form(changed): Form<Changed>,
) -> Response {
    let Some(mut page) = page_of(&office, &visitor, ProductId(id)) else { return office.not_found(&visitor) };
    let till = office.site.ledger.till();
    let Some(product) = till.catalog().product(ProductId(id)) else { return office.not_found(&visitor) };
    let t = page.frame.t;
    let name = changed.name.trim();
    let is_name = !name.is_empty() && name.len() <= limits::NAME_BYTES && !name.contains(char::is_control);
    page.wrong_name = (!is_name).then(|| t.product_name_rule.to_owned());
    let price = price_of(&changed.price);
    page.wrong_price = price.is_none().then(|| t.price_rule.to_owned());
    if let (true, Some(price)) = (is_name, price) {
        let available = changed.sold == Sold::Yes;
        let product = Product { name: name.into(), price, available, ..product.clone() };
        match office.manage(&visitor, vec![Manage::PutProduct(product)], Vec::new()).await {
            Ok(()) => {
                return visitor.go(&office, "/office/catalogue", Flash::done(put(t.product_saved, name)));
            }
            Err(error) => page.wrong_name = Some(refusals::of_ledger(t, &error).to_owned()),
        }
    }
    (page.name, page.price, page.available) = (changed.name, changed.price, changed.sold == Sold::Yes);
    draw_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

fn row(office: &Office, language: Language, product: &Product) -> ProductRow {
    let till = office.site.ledger.till();
    ProductRow {
        id: product.id.0,
        name: product.name.to_string(),
        price: product.price.format(till.site().currency, language),
        tax: tax(office, language, product),
        available: product.available,
        photo: till.photo(product.id).map(photo::address),
    }
}

/// The rate of today, eaten here.
fn tax(office: &Office, language: Language, product: &Product) -> String {
    let till = office.site.ledger.till();
    let rate = till.site().country.rate(product.tax, Service::EatIn, office.today());
    percent(rate.0, language)
}

fn percent(hundredths: u16, language: Language) -> String {
    let (whole, part) = (hundredths / 100, hundredths % 100);
    let comma = comma(language);
    match part {
        0 => format!("{whole}\u{a0}%"),
        part if part % 10 == 0 => format!("{whole}{comma}{}\u{a0}%", part / 10),
        part => format!("{whole}{comma}{part:02}\u{a0}%"),
    }
}

fn page_of(office: &Office, visitor: &Visitor, id: ProductId) -> Option<ProductPage> {
    let till = office.site.ledger.till();
    let product = till.catalog().product(id)?;
    let frame = visitor.frame(office, Place::Catalogue);
    let group = till.catalog().group(product.group).map_or("", |group| group.name.as_str());
    let about = format!("{group} · {}", put(frame.t.tax_of, tax(office, frame.language, product)));
    Some(ProductPage {
        id: id.0,
        heading: product.name.to_string(),
        about,
        photo: till.photo(id).map(photo::address),
        photo_limits: put(frame.t.photo_limits, photo::MAX_MEGABYTES),
        remove_question: put(frame.t.remove_photo_question, &product.name),
        name: product.name.to_string(),
        price: typed_price(product.price, frame.language),
        available: product.available,
        wrong_name: None,
        wrong_price: None,
        frame,
    })
}

/// A price as people type it: without groups of digits.
fn typed_price(price: Money, language: Language) -> String {
    let (sign, minor) = (if price.is_negative() { "-" } else { "" }, price.minor().unsigned_abs());
    format!("{sign}{}{}{:02}", minor / 100, comma(language), minor % 100)
}

const fn comma(language: Language) -> char {
    match language {
        Language::De => ',',
        Language::En => '.',
    }
}

/// What was typed for a price: `3,90`, `3.90`, `4`; `-0,25` for a deposit that is paid back.
fn price_of(text: &str) -> Option<Money> {
    let text = text.trim();
    if let Some(given_back) = text.strip_prefix('-') {
        let is_price = given_back.starts_with(|first: char| first.is_ascii_digit());
        return if is_price { price_of(given_back).map(|price| -price) } else { None };
    }
    let (whole, part) = text.split_once([',', '.']).unwrap_or((text, ""));
    let is_number = |text: &str| text.bytes().all(|digit| digit.is_ascii_digit());
    if whole.is_empty()
        || whole.len() > 7
        || part.len() > MINOR_DIGITS
        || !is_number(whole)
        || !is_number(part)
    {
        return None;
    }
    let price = Money::from_minor(format!("{whole}{part:0<MINOR_DIGITS$}").parse().ok()?);
    (price <= limits::PRICE).then_some(price)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_read_as_people_type_them() {
        let minor = |text| price_of(text).map(Money::minor);
        assert_eq!(["3,90", "3.9", " 4 ", "0,05"].map(minor), [Some(390), Some(390), Some(400), Some(5)]);
        assert_eq!(minor("-0,25"), Some(-25));
        let prices = [0, 5, 390, 123_450, -25].map(Money::from_minor);
        for language in [Language::De, Language::En] {
            assert_eq!(prices.map(|price| price_of(&typed_price(price, language))), prices.map(Some));
        }
        assert!(
            ["", ",", "--1", "- 1", "3,905", "1.000,00", "drei", "3,9 €", "99999999"]
                .iter()
                .all(|text| minor(text).is_none())
        );
        assert_eq!(minor("100000"), Some(10_000_000));
        assert_eq!(minor("100000,01"), None, "beyond the till's limit");
    }

    #[test]
    fn rates_are_written_as_in_the_language() {
        assert_eq!(percent(1_900, Language::De), "19\u{a0}%");
        assert_eq!([percent(810, Language::De), percent(255, Language::En)], ["8,1\u{a0}%", "2.55\u{a0}%"]);
    }
}
