//! Products as tiles: the same for everybody who ordered the same of a group.

use std::hash::Hash;

use smol_str::SmolStr;
use tresen_till::{Currency, Language, Money, ProductId};

use crate::Tap;
use crate::ui::{Composite, EDGE, Element, GAP, Inputs, Kit, Picture, Place, State, grid, tile};
use crate::words::Words;

/// Space above them, in dp.
pub(super) const ABOVE: i32 = 4;

/// Tiles in columns of one width.
#[derive(Hash)]
pub(super) struct ProductTiles {
    pub columns: u16,
    pub language: Language,
    pub currency: Currency,
    pub tiles: Vec<ProductTile>,
}

/// A product, as it is sold now.
#[derive(Hash)]
pub(super) struct ProductTile {
    pub product: ProductId,
    pub name: SmolStr,
    /// `None`: it is sold out.
    pub price: Option<Money>,
    /// How many are new on the order.
    pub count: Option<u32>,
    pub picture: Option<Picture>,
}

impl From<ProductTiles> for Element {
    fn from(tiles: ProductTiles) -> Self {
        Self::composite(tiles)
    }
}

impl Composite for ProductTiles {
    fn inputs(&self, inputs: &mut Inputs) {
        ("product tiles", self).hash(inputs);
    }

    fn footprint(&self, out: &mut Inputs) {
        ("product tiles", self.columns, self.tiles.len()).hash(out);
        self.tiles.iter().for_each(|tile| tile.picture.is_some().hash(out));
    }

    fn compose(&self, _: &Kit) -> Element {
        let tiles = self.tiles.iter().map(|tile| self.tile(tile));
        grid(self.columns).gap(GAP).children(tiles).pad_x(EDGE).pad_top(ABOVE).pad_bottom(GAP)
    }
}

impl ProductTiles {
    fn tile(&self, shown: &ProductTile) -> Element {
        let words = Words::of(self.language);
        let price = match shown.price {
            Some(price) => words.plain(price, self.currency),
            None => words.sold_out.to_owned(),
        };
        let mut tile = tile(shown.name.clone(), price, Tap::Product(shown.product).action())
            .on_hold(Tap::ProductDetails(shown.product).action())
            .state(State::ready_when(shown.price.is_some()));
        if let Some(picture) = &shown.picture {
            tile = tile.photo(picture.clone());
        }
        if let Some(count) = shown.count {
            tile = tile.count(count.to_string());
        }
        tile.key(("product", shown.product))
    }
}
