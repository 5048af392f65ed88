//! Taking an order: groups, products, the order itself.

use tresen_scene::Role;
use tresen_till::{Check, GroupId, Product, ProductId, Target};
use tresen_typeset::limits::PHOTO_SIDE_PX;

use super::tabs::{Tab, Tabs};
use super::tiles::{ProductTile, ProductTiles};
use super::{Scene, bottom_bar, tiles};
use crate::app::{ListHeight, Order, Sheet, Task};
use crate::ui::{
    self, Button, Doubt, EDGE, Element, GAP, Icon, Ink, Picture, Place, Selected, State, Surface, Type,
    Weight, button, chip, column, field, header, icon_button, row, scroll, text,
};
use crate::{ScrollArea, Tap, limits};

/// Width of a product, at least, in dp, and on a wide screen.
const TILE: i32 = 104;
const WIDE_TILE: i32 = 120;
/// Height of a group's name, in dp.
const HEADING: i32 = 32;
/// Height that tabs may take, in dp.
const TABS: i32 = 4 * 48;
/// Width of the groups on a phone held sideways, in dp.
const RAIL: i32 = 104;
/// Most products that a search shows.
const FOUND: usize = 60;

impl Scene<'_> {
    pub(super) fn order(&self, order: &Order) -> Element {
        let content = order.sheet.as_ref().and_then(|sheet| match sheet {
            Sheet::Choice(choice) => self.choice_sheet(choice),
            Sheet::Line(edit) => self.line_sheet(order, edit),
            Sheet::Guests => self.guests_sheet(order),
        });
        match content {
            Some(content) => {
                let screen = self.order_screen(order, None);
                self.with_toast(ui::sheet(screen, Tap::Back.action(), self.words.close, content))
            }
            None => self.order_screen(order, self.banner()),
        }
    }

    fn order_screen(&self, order: &Order, banner: Option<Element>) -> Element {
        let check = self.till().open_check(&order.target);
        let beside = self.is_wide() || self.is_sideways();
        let list_width = match (self.is_sideways(), beside) {
            (true, _) => (self.size.w * 3 / 7).min(320),
            (false, true) => (self.size.w / 3).clamp(320, 400),
            (false, false) => 0,
        };
        let products = self.products(order, check, self.size.w - list_width);
        let content = match (beside, order.list) {
            (true, _) => {
                let side = column()
                    .child(self.list(order, check).grow().min_height(0))
                    .child(self.order_bar(order, check));
                let side = side.on_surface(Surface::plain(Ink::Card)).width(list_width);
                row()
                    .align(ui::Align::Stretch)
                    .child(column().child(products.grow().min_height(0)).children(banner).grow())
                    .child(side)
                    .grow()
            }
            (false, ListHeight::Full) if self.has_lines(order, check) => column()
                .child(self.pulled_list(order, check).min_height(0))
                .children(banner)
                .child(self.order_bar(order, check))
                .grow(),
            (false, _) => column()
                .child(products.grow())
                .children(banner)
                .children(self.low_list(order, check))
                .child(self.order_bar(order, check))
                .grow(),
        };
        column().child(self.order_header(order, check)).child(content.min_height(0))
    }

    fn order_header(&self, order: &Order, check: Option<&Check>) -> Element {
        let guests = check.map_or(0, |check| check.guests);
        let subtitle = if guests > 0 { self.words.guest_count(guests) } else { String::new() };
        let bar = header(self.words.place(&order.target, self.till()))
            .subtitle(subtitle)
            .back(Tap::Back.action(), self.words.back);
        let bar = match order.target {
            Target::Direct(_) => bar,
            Target::Table(_) | Target::Check(_) => {
                bar.action(Icon::Users, self.words.guests, Tap::Guests.action())
            }
        };
        bar.action(Icon::Search, self.words.search, Tap::Search.action()).into()
    }

    /// Tabs, or the search field, and the products below.
    fn products(&self, order: &Order, check: Option<&Check>, width: i32) -> Element {
        let catalog = self.till().catalog();
        let (head, area, shown): (_, _, Vec<&Product>) = match &order.search {
            Some(wanted) => {
                let found = catalog.products().filter(|product| matches(product, wanted)).take(FOUND);
                (self.search_field(wanted), ScrollArea::Found, found.collect())
            }
            None => {
                let first = || catalog.groups().next().map(|group| group.id);
                let group = order.group.or_else(first).unwrap_or(GroupId(0));
                if self.is_sideways() {
                    return self.products_beside_groups(group, check, width);
                }
                let tabs = self.group_tabs(group, width);
                if self.is_wide() {
                    let content = self.groups_from(group, check, width);
                    return with_head(tabs, ScrollArea::Products(group), content);
                }
                (tabs, ScrollArea::Products(group), catalog.products_in(group).collect())
            }
        };
        let content = if shown.is_empty() {
            let searching = order.search.is_some();
            let nothing = if searching { self.words.nothing_found } else { self.words.no_products };
            text(Type::Body, nothing).muted().pad_x(EDGE).pad_y(GAP)
        } else {
            let columns = columns(width, TILE);
            let shown = self.pictured(&shown, &mut self.room_for_photos(width, columns));
            self.product_tiles(shown, check, columns).into()
        };
        with_head(head, area, content)
    }

    /// Groups at the left, their products at the right: where the height is dear.
    fn products_beside_groups(&self, shown: GroupId, check: Option<&Check>, width: i32) -> Element {
        let chips = self
            .groups(shown)
            .into_iter()
            .map(|tab| chip(tab.text, tab.selected, tab.action).compact().width(RAIL));
        let rail = column().children(chips.collect::<Vec<_>>()).pad_y(4).key("tabs");
        let rail = scroll(ScrollArea::Tabs.action(), rail).width(RAIL);
        let content = self.groups_from(shown, check, width - RAIL - EDGE);
        let products = scroll(ScrollArea::Products(shown).action(), content.pad_top(4));
        let parts = row().align(ui::Align::Stretch).child(column().child(rail.grow()).pad_left(EDGE));
        parts.child(products).min_height(0)
    }

    /// A wide screen has room for the groups that follow, too.
    fn groups_from(&self, shown: GroupId, check: Option<&Check>, width: i32) -> Element {
        let catalog = self.till().catalog();
        let columns = columns(width, WIDE_TILE);
        let mut room = self.size.h;
        let mut photos = self.room_for_photos(width, columns);
        let mut blocks = Vec::new();
        for group in catalog.groups().skip_while(|group| group.id != shown) {
            if room <= 0 {
                break;
            }
            let products: Vec<&Product> = catalog.products_in(group.id).collect();
            let name =
                text(Type::Body, group.name.clone()).weight(Weight::Semibold).lines(1).role(Role::Heading);
            let name = (group.id != shown).then(|| name.pad_x(EDGE).pad_top(8).pad_bottom(4));
            let tiles = match products.is_empty() {
                true => text(Type::Body, self.words.no_products).muted().pad_x(EDGE).pad_y(GAP),
                false => {
                    let products = self.pictured(&products, &mut photos);
                    room -= tiles_height(&products, width, columns);
                    self.product_tiles(products, check, columns).into()
                }
            };
            room -= if name.is_some() { HEADING } else { 0 };
            blocks.push(column().children(name).child(tiles));
        }
        column().children(blocks)
    }

    fn groups(&self, shown: GroupId) -> Vec<Tab> {
        let tabs = self.till().catalog().groups().map(|group| Tab {
            text: group.name.clone(),
            selected: Selected::when(group.id == shown),
            action: Tap::Group(group.id).action(),
        });
        tabs.collect()
    }

    fn group_tabs(&self, shown: GroupId, width: i32) -> Element {
        let tabs = Tabs { width: width - 2 * EDGE, pad: (EDGE, 4), tabs: self.groups(shown) };
        scroll(ScrollArea::Tabs.action(), tabs).hugging().max_height(TABS)
    }

    fn search_field(&self, wanted: &str) -> Element {
        let input = field(self.words.search, wanted, Tap::SearchText.action())
            .hint(self.words.search_hint)
            .keyboard(tresen_scene::Keyboard::Search);
        let close = icon_button(Icon::X, self.words.close, Tap::Back.action());
        row().align(ui::Align::End).child(input.grow()).child(close).gap(4).pad_x(EDGE).pad_y(GAP)
    }

    /// How many photos tiles of this width may show.
    fn room_for_photos(&self, width: i32, columns: i32) -> i32 {
        let side = self.kit.px(width / columns).clamp(1, PHOTO_SIDE_PX as i32);
        (limits::PHOTO_PIXELS / (side * ui::photo_height(side)).max(1)).min(limits::PHOTOS)
    }

    /// Products with their photos; `photos` is how many may still be shown.
    fn pictured<'p>(&self, shown: &[&'p Product], photos: &mut i32) -> Vec<(&'p Product, Option<Picture>)> {
        let pictured = shown.iter().map(|product| {
            let picture = if *photos > 0 { self.picture(product) } else { None };
            *photos -= i32::from(picture.is_some());
            (*product, picture)
        });
        pictured.collect()
    }

    fn product_tiles(
        &self,
        shown: Vec<(&Product, Option<Picture>)>,
        check: Option<&Check>,
        columns: i32,
    ) -> ProductTiles {
        let counts = counts(check);
        let tiles = shown.into_iter().map(|(product, picture)| ProductTile {
            product: product.id,
            name: product.name.clone(),
            price: product.available.then_some(product.price),
            count: counts.iter().find(|(id, _)| *id == product.id).map(|(_, count)| *count),
            picture,
        });
        ProductTiles {
            columns: columns as u16,
            language: self.world.language,
            currency: self.currency(),
            tiles: tiles.collect(),
        }
    }

    fn picture(&self, product: &Product) -> Option<Picture> {
        let photo = self.till().photo(product.id)?;
        Some(Picture::new(photo.0, self.world.photos.photo(photo)?))
    }

    /// Pay at the left, and the widest action: what most likely comes next.
    fn order_bar(&self, order: &Order, check: Option<&Check>) -> Element {
        let unsent = check.map_or(0, Check::unsent_count);
        let direct = matches!(order.target, Target::Direct(_));
        let Some(check) = check.filter(|check| !check.lines.is_empty()) else {
            let nothing = button(self.words.nothing_ordered, Tap::Send.action()).state(State::Disabled);
            return bottom_bar(None, nothing);
        };
        let total = self.amount(check.total());
        let pay = button(self.words.pay, Tap::ToPay.action());
        let send =
            button(format!("{} · {unsent}", self.words.send), Tap::Send.action()).state(self.sending(order));
        match (unsent > 0, direct) {
            (true, false) => bottom_bar(Some(pay), send.primary().trailing(total).doubt(Doubt::Shared)),
            (true, true) => bottom_bar(Some(send), pay.primary().trailing(total).doubt(Doubt::Shared)),
            (false, _) => {
                let tables: Button = button(self.words.tables, Tap::Back.action());
                bottom_bar(Some(tables), pay.primary().trailing(total).doubt(Doubt::Shared))
            }
        }
    }

    fn sending(&self, order: &Order) -> State {
        let sending = self.app.queue.jobs.iter().any(|job| job.task == Task::Send { target: order.target });
        if sending { State::Pending } else { State::Ready }
    }
}

/// What stays at the top, and what scrolls below.
fn with_head(head: Element, area: ScrollArea, content: Element) -> Element {
    column().child(head).child(scroll(area.action(), content)).min_height(0)
}

/// What the tiles take in height, in dp: a row is as high as its highest.
fn tiles_height(shown: &[(&Product, Option<Picture>)], width: i32, columns: i32) -> i32 {
    let tile = (width - 2 * EDGE + GAP) / columns - GAP;
    let row = |row: &[(&Product, Option<Picture>)]| match row.iter().any(|(_, picture)| picture.is_some()) {
        true => ui::photo_tile_height(tile) + GAP,
        false => ui::TILE_HEIGHT + GAP,
    };
    tiles::ABOVE + shown.chunks(columns as usize).map(row).sum::<i32>()
}

fn columns(width: i32, tile: i32) -> i32 {
    ((width - 2 * EDGE + GAP) / (tile + GAP)).clamp(2, 8)
}

/// Whether a product is meant: every word begins a word of its name, in any case.
fn matches(product: &Product, wanted: &str) -> bool {
    let name = product.name.to_lowercase();
    let wanted = wanted.to_lowercase();
    let begins = |word: &str| name.split([' ', '-', '(']).any(|part| part.starts_with(word));
    wanted.split_whitespace().all(|word| begins(word) || word.len() >= 3 && name.contains(word))
}

/// How many of each product are new on the check.
fn counts(check: Option<&Check>) -> Vec<(ProductId, u32)> {
    let mut counts: Vec<(ProductId, u32)> = Vec::new();
    for line in check.into_iter().flat_map(Check::unsent) {
        match counts.iter_mut().find(|(product, _)| *product == line.product) {
            Some((_, count)) => *count += line.quantity,
            None => counts.push((line.product, line.quantity)),
        }
    }
    counts
}
