//! What the app looks like: state and world in, a screen out. Pure, and cheap enough for every change of the till.

mod order;
mod order_list;
mod pay;
mod people;
mod plan;
mod receipt;
mod sheets;
mod tables;
mod tabs;
mod tiles;

use std::sync::Arc;

use tresen_scene::{Node, Size};
use tresen_till::{Currency, Money, Till};

use crate::app::{App, Screen};
use crate::notice::Notice;
use crate::ui::{self, Button, Element, Kit, Place, Surface, Tone, column, divider, row};
use crate::words::Words;
use crate::{TableFilter, Tap, World};

/// From this width on, the order stands beside the products, in dp.
const WIDE: i32 = 700;

/// A phone held sideways is at least this wide, in dp.
const SIDEWAYS_WIDTH: i32 = 560;

/// The screen of an app, `size` device pixels large.
pub fn view(app: &App, world: &World, kit: &Kit, size: Size) -> Arc<Node> {
    let viewer = app.staff.map(|staff| staff.0);
    let kit = kit.clone().developing(world.photos.developing()).seen_by(viewer);
    let scene = Scene { app, world, kit: &kit, words: Words::of(world.language), size: kit.size_dp(size) };
    ui::render(&kit, size, scene.screen())
}

/// Which tables the screen of the tables shows.
pub(crate) fn filter(app: &App, world: &World, kit: &Kit, size: Size) -> Option<TableFilter> {
    Scene { app, world, kit, words: Words::of(world.language), size: kit.size_dp(size) }.filter()
}

/// All that the screens are made of.
struct Scene<'a> {
    app: &'a App,
    world: &'a World<'a>,
    kit: &'a Kit,
    words: &'static Words,
    /// In dp.
    size: Size,
}

impl<'a> Scene<'a> {
    fn screen(&self) -> Element {
        match &self.app.screen {
            Screen::People => self.people(),
            Screen::Pin(entry) => self.with_toast(self.pin(entry)),
            Screen::Tables => self.tables(),
            Screen::Order(order) => self.order(order),
            Screen::Pay(pay) => self.with_toast(self.pay(pay)),
            Screen::Receipt(number) => self.receipt(*number),
        }
    }

    /// A screen that is full of keys: the notice stands over its title.
    fn with_toast(&self, screen: Element) -> Element {
        match self.notice() {
            // The screen of the PIN says it itself.
            Some(Notice::WrongPin) | None => screen,
            Some(notice) => ui::toast_over(screen, self.toast(notice)),
        }
    }

    /// The notice as a part of a screen, below something that scrolls: it takes room there, covers nothing and moves nothing.
    fn banner(&self) -> Option<Element> {
        let toast = self.toast(self.notice()?);
        Some(column().align(ui::Align::Center).child(toast).pad_x(ui::EDGE).pad_y(ui::GAP).key("notice"))
    }

    /// What is to be told now.
    fn notice(&self) -> Option<&'a Notice> {
        let toast = self.app.toast.as_ref().filter(|toast| toast.until > self.world.now);
        toast.map(|toast| &toast.notice)
    }

    fn toast(&self, notice: &Notice) -> ui::Toast {
        let tone = match notice {
            Notice::Sent { .. } | Notice::Printing => Tone::Done,
            Notice::TotalChanged { .. } | Notice::TooLittle | Notice::TooFast | Notice::ScanNeedsOrder => {
                Tone::Waits
            }
            Notice::Refused(_)
            | Notice::WrongPin
            | Notice::ClosedElsewhere
            | Notice::NoLongerStaff
            | Notice::UnknownCode(_)
            | Notice::InputsLost
            | Notice::Failed(_) => Tone::Failed,
        };
        let (text, detail) = self.words.notice(notice, self.world.till);
        let said = ui::toast(tone, text).close(Tap::Dismiss.action(), self.words.close);
        match detail {
            Some(detail) => said.detail(detail),
            None => said,
        }
    }

    fn till(&self) -> &'a Till {
        self.world.till
    }

    fn currency(&self) -> Currency {
        self.world.till.site().currency
    }

    /// An amount with its currency.
    fn amount(&self, money: Money) -> String {
        self.words.amount(money, self.currency())
    }

    /// An amount without its currency.
    fn plain(&self, money: Money) -> String {
        self.words.plain(money, self.currency())
    }

    fn is_wide(&self) -> bool {
        self.size.w >= WIDE
    }

    /// A phone held sideways: what else stands below one another stands beside one another.
    fn is_sideways(&self) -> bool {
        self.size.h < ui::SIDEWAYS && self.size.w >= SIDEWAYS_WIDTH
    }

    /// The name of whoever is logged in.
    fn staff_name(&self) -> &'a str {
        let member = self.app.staff.and_then(|staff| self.till().staff_member(staff));
        member.map_or("", |member| member.name.as_str())
    }
}

/// The bar at the bottom: what else there is, and the action that most likely comes next, which is the widest.
fn bottom_bar(second: Option<Button>, first: Button) -> Element {
    let second = second.map(|button| button.grow_by(2.0));
    let buttons = row().gap(ui::GAP).children(second).child(first.grow_by(5.0));
    let bar = buttons.pad_x(ui::EDGE).pad_y(ui::GAP);
    let bar = ui::apart(ui::ACTION + 2 * ui::GAP, bar);
    column().child(divider()).child(bar).on_surface(Surface::plain(ui::Ink::Card)).key("bottom bar")
}
