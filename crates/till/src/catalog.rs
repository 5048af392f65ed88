//! What is sold: groups, products, and the questions that go with them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::{GroupId, ModifierGroupId, ModifierId, Money, PreparationId, ProductId, TaxClass};

/// A group of products: a tab on the order screen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Its id.
    pub id: GroupId,
    /// Name for staff.
    pub name: SmolStr,
    /// Place among the groups, rising.
    pub position: u16,
}

/// Something that is sold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// Its id.
    pub id: ProductId,
    /// The group that it is shown in.
    pub group: GroupId,
    /// Name for staff and receipts.
    pub name: SmolStr,
    /// Gross price without modifiers.
    pub price: Money,
    /// What decides its tax rate.
    pub tax: TaxClass,
    /// Where it is made; `None` for what the waiter takes along.
    pub preparation: Option<PreparationId>,
    /// Questions asked when it is ordered, in this order.
    pub modifier_groups: Vec<ModifierGroupId>,
    /// Place in its group, rising.
    pub position: u16,
    /// Barcode, empty when it has none.
    pub barcode: SmolStr,
    /// False while it is sold out.
    pub available: bool,
}

/// A question about a product: `Garstufe`, `Beilage`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModifierGroup {
    /// Its id.
    pub id: ModifierGroupId,
    /// The question.
    pub name: SmolStr,
    /// Fewest answers; at least one makes it required.
    pub min: u8,
    /// Most answers.
    pub max: u8,
    /// The answers, in order.
    pub modifiers: Vec<Modifier>,
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Modifier {
    /// Its id, unique over all groups.
    pub id: ModifierId,
    /// The answer.
    pub name: SmolStr,
    /// Surcharge on the product's price; may be negative.
    pub price: Money,
}

/// A place where products are made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preparation {
    /// Its id.
    pub id: PreparationId,
    /// Name on tickets: `Küche`.
    pub name: SmolStr,
}

/// Everything that is sold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalog {
    groups: Vec<Arc<Group>>,
    products: BTreeMap<ProductId, Arc<Product>>,
    order: BTreeSet<(GroupId, u16, ProductId)>,
    modifier_groups: BTreeMap<ModifierGroupId, Arc<ModifierGroup>>,
    preparations: BTreeMap<PreparationId, Preparation>,
}

impl Product {
    /// Whether it can't be ordered without an answer.
    pub fn asks(&self, catalog: &Catalog) -> bool {
        self.modifier_groups
            .iter()
            .any(|id| catalog.modifier_group(*id).is_some_and(ModifierGroup::is_required))
    }
}

impl ModifierGroup {
    /// Whether it needs an answer.
    pub fn is_required(&self) -> bool {
        self.min > 0
    }
}

impl Catalog {
    /// Groups in their order.
    pub fn groups(&self) -> impl ExactSizeIterator<Item = &Group> {
        self.groups.iter().map(AsRef::as_ref)
    }

    /// One group.
    pub fn group(&self, id: GroupId) -> Option<&Group> {
        self.groups().find(|group| group.id == id)
    }

    /// All products, by id.
    pub fn products(&self) -> impl ExactSizeIterator<Item = &Product> {
        self.products.values().map(AsRef::as_ref)
    }

    /// Products of a group in their order, sold out ones included.
    pub fn products_in(&self, group: GroupId) -> impl Iterator<Item = &Product> {
        let first = (group, 0, ProductId(0));
        let last = (group, u16::MAX, ProductId(u32::MAX));
        self.order.range(first..=last).filter_map(|(_, _, id)| self.product(*id))
    }

    /// One product.
    pub fn product(&self, id: ProductId) -> Option<&Product> {
        self.products.get(&id).map(AsRef::as_ref)
    }

    /// The product with a barcode.
    pub fn product_by_barcode(&self, barcode: &str) -> Option<&Product> {
        self.products().find(|product| !barcode.is_empty() && product.barcode == barcode)
    }

    /// All modifier groups, by id.
    pub fn modifier_groups(&self) -> impl ExactSizeIterator<Item = &ModifierGroup> {
        self.modifier_groups.values().map(AsRef::as_ref)
    }

    /// One modifier group.
    pub fn modifier_group(&self, id: ModifierGroupId) -> Option<&ModifierGroup> {
        self.modifier_groups.get(&id).map(AsRef::as_ref)
    }

    /// Modifier groups of a product, in the order in which they are asked.
    pub fn questions(&self, product: &Product) -> impl Iterator<Item = &ModifierGroup> {
        product.modifier_groups.iter().filter_map(|id| self.modifier_group(*id))
    }

    /// All places of preparation, by id.
    pub fn preparations(&self) -> impl ExactSizeIterator<Item = &Preparation> {
        self.preparations.values()
    }

    /// One place of preparation.
    pub fn preparation(&self, id: PreparationId) -> Option<&Preparation> {
        self.preparations.get(&id)
    }

    pub(crate) fn put_group(&mut self, group: &Group) {
        self.remove_group(group.id);
        self.groups.push(Arc::new(group.clone()));
        self.groups.sort_by_key(|group| (group.position, group.id));
    }

    pub(crate) fn remove_group(&mut self, id: GroupId) {
        self.groups.retain(|group| group.id != id);
    }

    pub(crate) fn put_product(&mut self, product: &Product) {
        self.remove_product(product.id);
        self.order.insert((product.group, product.position, product.id));
        self.products.insert(product.id, Arc::new(product.clone()));
    }

    pub(crate) fn remove_product(&mut self, id: ProductId) {
        if let Some(old) = self.products.remove(&id) {
            self.order.remove(&(old.group, old.position, old.id));
        }
    }

    pub(crate) fn put_modifier_group(&mut self, group: &ModifierGroup) {
        self.modifier_groups.insert(group.id, Arc::new(group.clone()));
    }

    pub(crate) fn remove_modifier_group(&mut self, id: ModifierGroupId) {
        self.modifier_groups.remove(&id);
    }

    pub(crate) fn put_preparation(&mut self, preparation: &Preparation) {
        self.preparations.insert(preparation.id, preparation.clone());
    }

    pub(crate) fn remove_preparation(&mut self, id: PreparationId) {
        self.preparations.remove(&id);
    }
}
