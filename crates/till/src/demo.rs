//! The demo restaurant: Gasthaus Linde in Munich, rich enough to look real.
//!
//! Ids are stable: tests and demos may name them.

use smol_str::SmolStr;

use crate::{
    Area, AreaId, Country, Currency, Group, GroupId, Language, Manage, Modifier, ModifierGroup,
    ModifierGroupId, ModifierId, Money, PinHash, Preparation, PreparationId, Product, ProductId, Role, Shape,
    Site, Staff, StaffId, Table, TableId, TaxClass,
};

const KITCHEN: PreparationId = PreparationId(1);
const BAR: PreparationId = PreparationId(2);

/// Garstufe: required, one answer.
pub const DONENESS: ModifierGroupId = ModifierGroupId(1);
/// Beilage: required, one answer, some cost more.
pub const SIDE: ModifierGroupId = ModifierGroupId(2);
/// Dressing: required, one answer.
pub const DRESSING: ModifierGroupId = ModifierGroupId(3);
/// Extras: up to three, priced.
pub const EXTRAS: ModifierGroupId = ModifierGroupId(4);
/// Eis und Zitrone: optional.
pub const ICE: ModifierGroupId = ModifierGroupId(5);
/// Milch: optional, oat milk costs more.
pub const MILK: ModifierGroupId = ModifierGroupId(6);

/// Anna, a waiter.
pub const ANNA: StaffId = StaffId(1);
/// Ben, a waiter.
pub const BEN: StaffId = StaffId(2);
/// Olga, the owner.
pub const OLGA: StaffId = StaffId(3);

/// The demo's people: id, name, role, PIN.
pub const STAFF: [(StaffId, &str, Role, &str); 3] = [
    (ANNA, "Anna", Role::Waiter, "1234"),
    (BEN, "Ben", Role::Waiter, "2345"),
    (OLGA, "Olga", Role::Owner, "9999"),
];

/// Everything that makes an empty till the Gasthaus Linde. `hash_pin` makes the stored hash of a PIN.
pub fn gasthaus_linde(mut hash_pin: impl FnMut(&str) -> PinHash) -> Vec<Manage> {
    let mut all = vec![Manage::PutSite(site())];
    all.extend(areas_and_tables());
    all.extend(preparations());
    all.extend(modifier_groups().into_iter().map(Manage::PutModifierGroup));
    all.extend(groups_and_products());
    // The owner comes last: until there is one, everybody may manage.
    all.extend(STAFF.map(|(id, name, role, pin)| {
        Manage::PutStaff(Staff { id, name: SmolStr::new_static(name), role, pin_hash: hash_pin(pin) })
    }));
    all
}

/// Its letterhead.
pub fn site() -> Site {
    Site {
        name: SmolStr::new_static("Gasthaus Linde"),
        address: vec![
            SmolStr::new_static("Lindenstr. 4, 80331 München"),
            SmolStr::new_static("Tel. 089 555 01 04"),
        ],
        tax_number: SmolStr::new_static("USt-IdNr. DE123456788"),
        farewell: SmolStr::new_static("Vielen Dank und auf Wiedersehen!"),
        country: Country::De,
        currency: Currency::Eur,
        language: Language::De,
    }
}

/// An area of the list below: id, name, first table, prefix of names, tables, columns of the plan, seats.
type Room = (AreaId, &'static str, u32, &'static str, u16, u16, &'static [u16]);

/// The floor plan.
const FLOOR: [Room; 3] = [
    (AreaId(1), "Gastraum", 1, "", 12, 4, &[4, 4, 2, 4, 6, 4, 2, 8, 4, 4, 6, 4]),
    (AreaId(2), "Terrasse", 21, "T", 8, 4, &[4, 4, 4, 4, 6, 6, 2, 2]),
    (AreaId(3), "Bar", 31, "Bar ", 6, 6, &[1, 1, 1, 1, 2, 2]),
];

fn areas_and_tables() -> Vec<Manage> {
    const CELL_DM: u16 = 24;
    let mut all = Vec::new();
    for (position, (area, name, first, prefix, count, columns, seats)) in FLOOR.into_iter().enumerate() {
        all.push(Manage::PutArea(Area {
            id: area,
            name: SmolStr::new_static(name),
            position: position as u16 + 1,
        }));
        for index in 0..count {
            let seats = seats[usize::from(index)];
            all.push(Manage::PutTable(Table {
                id: TableId(first + u32::from(index)),
                area,
                name: SmolStr::from(format!("{prefix}{}", index + 1)),
                seats,
                x_dm: 4 + index % columns * CELL_DM,
                y_dm: 4 + index / columns * CELL_DM,
                width_dm: if seats > 4 { 20 } else { 12 },
                height_dm: 12,
                shape: if seats <= 2 { Shape::Round } else { Shape::Square },
            }));
        }
    }
    all
}

fn preparations() -> [Manage; 2] {
    [(KITCHEN, "Küche"), (BAR, "Schank")]
        .map(|(id, name)| Manage::PutPreparation(Preparation { id, name: SmolStr::new_static(name) }))
}

fn modifier_groups() -> Vec<ModifierGroup> {
    let group = |id: ModifierGroupId, name, min, max, modifiers: &[(&'static str, i64)]| ModifierGroup {
        id,
        name: SmolStr::new_static(name),
        min,
        max,
        modifiers: modifiers
            .iter()
            .zip(1..)
            .map(|((name, price), index)| Modifier {
                id: ModifierId(id.0 * 100 + index),
                name: SmolStr::new_static(name),
                price: Money::from_minor(*price),
            })
            .collect(),
    };
    vec![
        group(
            DONENESS,
            "Garstufe",
            1,
            1,
            &[("rare", 0), ("medium rare", 0), ("medium", 0), ("medium well", 0), ("well done", 0)],
        ),
        group(
            SIDE,
            "Beilage",
            1,
            1,
            &[
                ("Kartoffeln", 0),
                ("Reis", 0),
                ("Knödel", 0),
                ("Pommes", 150),
                ("Bratkartoffeln", 150),
                ("Süßkartoffel-Pommes", 250),
            ],
        ),
        group(
            DRESSING,
            "Dressing",
            1,
            1,
            &[("Balsamico", 0), ("Joghurt", 0), ("Hausdressing", 0), ("ohne Dressing", 0)],
        ),
        group(
            EXTRAS,
            "Extras",
            0,
            3,
            &[("Kräuterbutter", 120), ("Pfefferrahm", 250), ("Röstzwiebeln", 150), ("Spiegelei", 180)],
        ),
        group(ICE, "Eis und Zitrone", 0, 2, &[("ohne Eis", 0), ("mit Zitrone", 0), ("Zimmertemperatur", 0)]),
        group(MILK, "Milch", 0, 1, &[("Hafermilch", 50), ("laktosefrei", 30), ("ohne Milch", 0)]),
    ]
}

/// A product of the list below: name, price in cents, modifier groups.
type Entry = (&'static str, i64, &'static [ModifierGroupId]);

/// A group of the list below: name, tax class, where it is made, products.
type Shelf = (&'static str, TaxClass, PreparationId, &'static [Entry]);

/// The menu. The product at index i of group g (both from 1) has the id g * 100 + i.
const MENU: [Shelf; 9] = [
    (
        "Getränke",
        TaxClass::Drink,
        BAR,
        &[
            ("Cola 0,33", 390, &[ICE]),
            ("Cola Zero 0,33", 390, &[ICE]),
            ("Wasser still 0,5", 320, &[ICE]),
            ("Wasser spritzig 0,5", 320, &[ICE]),
            ("Spezi 0,5", 410, &[ICE]),
            ("Apfelschorle 0,5", 390, &[]),
            ("Johannisbeerschorle 0,5", 420, &[]),
            ("Orangensaft 0,2", 360, &[]),
            ("Zitronenlimonade 0,5", 410, &[ICE]),
            ("Holunderlimonade 0,4", 450, &[ICE]),
            ("Tonic Water 0,2", 340, &[ICE]),
            ("Eistee Pfirsich 0,4", 430, &[ICE]),
        ],
    ),
    (
        "Bier",
        TaxClass::Alcohol,
        BAR,
        &[
            ("Helles 0,5", 480, &[]),
            ("Weißbier 0,5", 510, &[]),
            ("Dunkles 0,5", 490, &[]),
            ("Pils 0,33", 420, &[]),
            ("Radler 0,5", 480, &[]),
            ("Russ 0,5", 490, &[]),
            ("Helles alkoholfrei 0,5", 480, &[]),
            ("Weißbier alkoholfrei 0,5", 510, &[]),
            ("Kellerbier 0,5", 520, &[]),
        ],
    ),
    (
        "Küche",
        TaxClass::Food,
        KITCHEN,
        &[
            ("Rumpsteak", 2850, &[DONENESS, SIDE, EXTRAS]),
            ("Wiener Schnitzel", 2490, &[SIDE]),
            ("Schweinsbraten", 1790, &[SIDE]),
            ("Zwiebelrostbraten", 2690, &[DONENESS, SIDE]),
            ("Backhendl", 1690, &[SIDE]),
            ("Forelle Müllerin", 2190, &[SIDE]),
            ("Käsespätzle", 1490, &[]),
            ("Semmelknödel mit Pilzrahm", 1590, &[]),
            ("Gulasch", 1690, &[]),
            ("Burger Linde", 1690, &[DONENESS, SIDE, EXTRAS]),
            ("Currywurst", 1090, &[]),
            ("Saures Lüngerl", 1390, &[]),
        ],
    ),
    (
        "Vorspeisen",
        TaxClass::Food,
        KITCHEN,
        &[
            ("Leberknödelsuppe", 650, &[]),
            ("Pfannkuchensuppe", 590, &[]),
            ("Tomatensuppe", 620, &[]),
            ("Obazda mit Breze", 980, &[]),
            ("Beef Tatar", 1690, &[]),
            ("Brotkorb", 450, &[]),
            ("Wurstsalat", 1150, &[]),
        ],
    ),
    (
        "Salate",
        TaxClass::Food,
        KITCHEN,
        &[
            ("Beilagensalat", 490, &[DRESSING]),
            ("Gemischter Salat", 890, &[DRESSING]),
            ("Salat mit Backhendl", 1590, &[DRESSING]),
            ("Salat mit Ziegenkäse", 1490, &[DRESSING]),
            ("Kartoffelsalat", 550, &[]),
        ],
    ),
    (
        "Dessert",
        TaxClass::Food,
        KITCHEN,
        &[
            ("Kaiserschmarrn", 1290, &[]),
            ("Apfelstrudel", 790, &[]),
            ("Bayerisch Creme", 750, &[]),
            ("Topfenknödel", 890, &[]),
            ("Gemischtes Eis", 690, &[]),
            ("Schokokuchen", 720, &[]),
            ("Käseteller", 1190, &[]),
        ],
    ),
    (
        "Wein",
        TaxClass::Alcohol,
        BAR,
        &[
            ("Grüner Veltliner 0,2", 690, &[]),
            ("Riesling 0,2", 720, &[]),
            ("Silvaner 0,2", 650, &[]),
            ("Rosé 0,2", 640, &[]),
            ("Zweigelt 0,2", 680, &[]),
            ("Spätburgunder 0,2", 760, &[]),
            ("Weinschorle 0,25", 490, &[]),
            ("Prosecco 0,1", 550, &[]),
            ("Flasche Riesling 0,75", 2450, &[]),
        ],
    ),
    (
        "Kaffee",
        TaxClass::Drink,
        BAR,
        &[
            ("Espresso", 290, &[]),
            ("Espresso doppelt", 390, &[]),
            ("Cappuccino", 380, &[MILK]),
            ("Latte Macchiato", 420, &[MILK]),
            ("Kaffee Crema", 340, &[MILK]),
            ("Tee, Kännchen", 450, &[]),
            ("Heiße Schokolade", 430, &[MILK]),
        ],
    ),
    (
        "Schnaps",
        TaxClass::Alcohol,
        BAR,
        &[
            ("Obstler 2 cl", 390, &[]),
            ("Williams 2 cl", 450, &[]),
            ("Enzian 2 cl", 480, &[]),
            ("Haselnuss 2 cl", 420, &[]),
            ("Gin Tonic", 950, &[ICE]),
            ("Aperol Spritz", 790, &[ICE]),
            ("Hugo", 790, &[ICE]),
        ],
    ),
];

fn groups_and_products() -> Vec<Manage> {
    let mut all = Vec::new();
    for ((name, tax, preparation, entries), group) in MENU.into_iter().zip(1..) {
        let id = GroupId(group);
        all.push(Manage::PutGroup(Group { id, name: SmolStr::new_static(name), position: group as u16 }));
        for ((name, price, modifier_groups), index) in entries.iter().zip(1..) {
            all.push(Manage::PutProduct(Product {
                id: ProductId(group * 100 + index),
                group: id,
                name: SmolStr::new_static(name),
                price: Money::from_minor(*price),
                tax,
                preparation: Some(preparation),
                modifier_groups: modifier_groups.to_vec(),
                position: index as u16,
                barcode: barcode(name),
                available: true,
            }));
        }
    }
    all
}

/// Bottles that carry a barcode of their own.
fn barcode(name: &str) -> SmolStr {
    SmolStr::new_static(match name {
        "Cola 0,33" => "4000177604110",
        "Wasser still 0,5" => "4003240203209",
        "Flasche Riesling 0,75" => "4001432911038",
        _ => "",
    })
}
