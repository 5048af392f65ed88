//! Pages that show every part of the kit, much as a screen would.

use tresen_scene::Action;

use crate::ui::*;

pub fn act(id: u8) -> Action {
    Action::new(&[id])
}

/// An order screen: the busiest one.
pub fn order(first_quantity: &str) -> Element {
    let names = [
        "Cola 0,33",
        "Wasser still",
        "Helles 0,5",
        "Weißbier",
        "Radler",
        "Spezi",
        "Apfelschorle",
        "Espresso",
        "Cappuccino",
        "Rumpsteak mit Pfefferrahmsauce",
        "Kässpätzle",
        "Schweinebraten mit Knödel",
    ];
    let product = |(index, name): (usize, &&str)| {
        let product = tile(*name, "3,90", act(index as u8)).on_hold(act(100));
        if index % 5 == 0 { product.count(first_quantity) } else { product }
    };
    let rows =
        [("1", "Rumpsteak", "medium · Pommes statt Kartoffel", "28,50"), ("12", "Cola 0,33", "", "46,80")];
    let lines = rows.iter().enumerate().map(|(index, (quantity, title, subtitle, amount))| {
        let row = list_row(*title).quantity(*quantity).amount(*amount).on(act(50 + index as u8));
        let row = if subtitle.is_empty() { row.look(RowLook::New) } else { row.subtitle(*subtitle) };
        row.key(("line", index))
    });
    column()
        .child(header("Tisch 4").subtitle("4 Gäste · Anna").back(act(90), "Zurück"))
        .child(
            chips(
                ["Getränke", "Küche", "Dessert", "Wein"]
                    .iter()
                    .enumerate()
                    .map(|(index, name)| chip(*name, Selected::when(index == 0), act(20 + index as u8))),
            )
            .pad_x(EDGE)
            .pad_y(4),
        )
        .child(scroll(
            act(91),
            grid(3).gap(GAP).pad_x(EDGE).pad_bottom(EDGE).children(names.iter().enumerate().map(product)),
        ))
        .child(
            column().on_surface(Surface::plain(Ink::Card)).child(divider()).children(lines).child(
                row()
                    .gap(8)
                    .pad(EDGE)
                    .pad_y(12)
                    .child(button("Zahlen", act(92)).width(104))
                    .child(button("Senden · 13", act(93)).primary().trailing("75,30 €").grow()),
            ),
        )
}

/// PIN entry.
pub fn pin() -> Element {
    let digits = (1..=9u8).map(|digit| key(digit.to_string(), act(digit)));
    let last =
        [key("Wechseln", act(11)).quiet(), key("0", act(0)), key("Löschen", act(12)).icon(Icon::Delete)];
    column()
        .child(header("Gasthaus Linde").subtitle("Station 11"))
        .child(spacer())
        .child(
            column()
                .align(Align::Center)
                .gap(12)
                .child(avatar("Anna", 72))
                .child(text(Type::Title, "Anna"))
                .child(text(Type::Label, "PIN eingeben").muted())
                .child(pin_dots(2, 4, "2 von 4").pad_top(4)),
        )
        .child(spacer())
        .child(keypad(digits.chain(last)).pad(EDGE))
}

/// Tables.
pub fn tables() -> Element {
    let tiles = [
        table_tile("1", act(1)).note("frei"),
        table_tile("2", act(2)).look(TableLook::Open).amount("34,60").minutes("12 min").guests("4"),
        table_tile("3", act(3)).look(TableLook::Late).amount("1.252,10").minutes("138 min").guests("12"),
        table_tile("4", act(4)).look(TableLook::Waits).amount("121,40").minutes("Rechnung").guests("8"),
        table_tile("Stammtisch", act(5)).note("19:30 Huber"),
        table_tile("Terrasse 12", act(6)).look(TableLook::Open).amount("9,80").minutes("2 min").guests("1"),
    ];
    let areas = ["Gastraum", "Terrasse", "Bar", "Wintergarten", "Meine Tische"];
    let areas = areas
        .iter()
        .enumerate()
        .map(|(index, name)| chip(*name, Selected::when(index == 0), act(20 + index as u8)));
    let news = toast(Tone::Failed, "Tisch 4 wurde nicht gesendet")
        .detail("Der Küchendrucker hat kein Papier. Nachlegen, dann erneut senden.");
    column()
        .child(header("Tische").subtitle("Anna").action(Icon::LogOut, "Abmelden", act(30)))
        .child(chips(areas).pad_x(EDGE).pad_y(4))
        .child(scroll(act(31), grid(3).gap(GAP).pad_x(EDGE).children(tiles)))
        .child(news.close(act(34), "Schließen").pad_x(EDGE))
        .child(
            row()
                .gap(8)
                .pad(EDGE)
                .child(button("Scannen", act(32)).icon(Icon::ScanLine))
                .child(button("Direktverkauf", act(33)).primary().grow()),
        )
}

/// A sheet with choices over the order screen.
pub fn modifiers() -> Element {
    let cooked = ["rare", "medium", "well done"]
        .iter()
        .enumerate()
        .map(|(index, name)| choice(*name, Selected::when(index == 1), act(60 + index as u8)));
    let content = column()
        .pad(EDGE)
        .gap(12)
        .child(
            row()
                .justify(Justify::Between)
                .child(text(Type::Title, "Rumpsteak"))
                .child(text(Type::Label, "Garstufe wählen").ink(Ink::Waits)),
        )
        .child(grid(3).gap(GAP).children(cooked))
        .child(text(Type::Label, "Beilage").muted())
        .child(
            grid(2)
                .gap(GAP)
                .child(choice("Kartoffel", Selected::Yes, act(70)))
                .child(choice("Pommes", Selected::No, act(71)).extra("+1,50")),
        )
        .child(stepper(
            "2",
            icon_button(Icon::Minus, "Weniger", act(72)),
            icon_button(Icon::Plus, "Mehr", act(73)),
        ))
        .child(field("Notiz", "", act(74)).hint("Ohne Zwiebeln …"))
        .child(
            row()
                .gap(8)
                .child(button("Notiz", act(75)))
                .child(button("Übernehmen", act(76)).primary().trailing("28,50 €").grow()),
        );
    sheet(order("1"), act(77), "Schließen", content)
}

/// Paying, and all states of buttons and rows.
pub fn pay() -> Element {
    column()
        .child(header("Zahlen · Tisch 4 mit einem sehr langen Namen").subtitle("Anna").back(act(1), "Zurück"))
        .child(scroll(
            act(2),
            column()
                .pad(EDGE)
                .gap(12)
                .child(text(Type::Label, "Offen").muted())
                .child(amount(Type::HugeAmount, "1.241,10 €").align_self(Align::Start))
                .child(
                    row()
                        .justify(Justify::Between)
                        .child(text(Type::Label, "Rückgeld").muted())
                        .child(amount(Type::Amount, "8,90 €").doubt(Doubt::Unconfirmed)),
                )
                .child(button("Wird gesendet", act(3)).primary().state(State::Pending).trailing("8,90 €"))
                .child(button("Nicht jetzt", act(4)).primary().state(State::Disabled))
                .child(
                    row()
                        .gap(8)
                        .child(button("Löschen", act(5)).danger().icon(Icon::Trash2).grow())
                        .child(button("Quittung", act(6)).quiet().grow())
                        .child(badge("3"))
                        .child(badge("12").late())
                        .child(badge("!").waits())
                        .child(icon(Icon::Wifi).ink(Ink::Muted)),
                )
                .child(
                    column()
                        .on_surface(Surface::card())
                        .child(
                            list_row("Rumpsteak")
                                .quantity("1")
                                .amount("28,50")
                                .selected(Selected::Yes)
                                .subtitle("medium")
                                .on(act(7)),
                        )
                        .child(
                            list_row("Helles 0,5")
                                .quantity("2")
                                .amount("9,60")
                                .look(RowLook::Unconfirmed)
                                .on(act(8)),
                        )
                        .child(
                            list_row("Weißbier alkoholfrei aus der Flasche, sehr kalt serviert mit Zitrone")
                                .quantity("1")
                                .amount("5,10")
                                .look(RowLook::Failed)
                                .subtitle("Nicht gebucht. Erneut tippen.")
                                .on(act(9)),
                        )
                        .child(list_row("Einstellungen").icon(Icon::Settings).goes_on().on(act(10))),
                )
                .child(paper(32, receipt()).pad(16).on_surface(Surface::paper())),
        ))
        .child(
            button("Bar erhalten", act(11))
                .primary()
                .trailing("50,00 €")
                .pad(0)
                .width(328)
                .align_self(Align::Center),
        )
}

fn receipt() -> Vec<PaperLine> {
    let line = |text: &str, style, align| PaperLine { text: text.into(), style, align };
    vec![
        line("GASTHAUS LINDE", PaperStyle::Large, PaperAlign::Center),
        line("Lindenstr. 4, 80331 München", PaperStyle::Plain, PaperAlign::Center),
        line("1 Rumpsteak medium       28,50 A", PaperStyle::Plain, PaperAlign::Left),
        line("SUMME EUR                41,10  ", PaperStyle::Bold, PaperAlign::Left),
    ]
}
