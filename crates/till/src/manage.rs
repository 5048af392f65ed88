//! Changing what the site consists of.

use crate::{
    Area, Context, Event, GroupId, Manage, ModifierGroup, ModifierGroupId, Money, Permission, PhotoId, Place,
    PreparationId, Product, ProductId, Refusal, Role, Site, Staff, StaffId, Table, TableId, Till, limits,
};

impl Till {
    pub(crate) fn manage(&self, context: &Context, manage: &Manage) -> Result<Vec<Event>, Refusal> {
        if self.has_owner() {
            self.permitted(context, Permission::ManageSite)?;
        }
        let event = match manage {
            Manage::PutSite(site) => self.put_site(site)?,
            Manage::PutStaff(staff) => self.put_staff(staff)?,
            Manage::RemoveStaff(id) => self.remove_staff(*id)?,
            Manage::PutArea(area) => {
                check_name(&area.name)?;
                check_room(self.floor.area(area.id).is_some(), self.areas().len())?;
                Event::AreaPut(area.clone())
            }
            Manage::RemoveArea(id) => {
                self.floor.area(*id).ok_or(Refusal::NoSuchArea)?;
                in_use(self.tables_in(*id).next().is_some())?;
                Event::AreaRemoved(*id)
            }
            Manage::PutTable(table) => self.put_table(table)?,
            Manage::RemoveTable(id) => self.remove_table(*id)?,
            Manage::PutPreparation(preparation) => {
                check_name(&preparation.name)?;
                check_room(
                    self.catalog.preparation(preparation.id).is_some(),
                    self.catalog.preparations().len(),
                )?;
                Event::PreparationPut(preparation.clone())
            }
            Manage::RemovePreparation(id) => self.remove_preparation(*id)?,
            Manage::PutGroup(group) => {
                check_name(&group.name)?;
                check_room(self.catalog.group(group.id).is_some(), self.catalog.groups().len())?;
                Event::GroupPut(group.clone())
            }
            Manage::RemoveGroup(id) => self.remove_group(*id)?,
            Manage::PutModifierGroup(group) => self.put_modifier_group(group)?,
            Manage::RemoveModifierGroup(id) => self.remove_modifier_group(*id)?,
            Manage::PutProduct(product) => self.put_product(product)?,
            Manage::RemoveProduct(id) => {
                self.catalog.product(*id).ok_or(Refusal::NoSuchProduct)?;
                Event::ProductRemoved(*id)
            }
            Manage::SetPhoto { product, photo } => self.set_photo(*product, *photo)?,
        };
        Ok(vec![event])
    }

    fn put_site(&self, site: &Site) -> Result<Event, Refusal> {
        check_name(&site.name)?;
        for text in site.address.iter().chain([&site.tax_number, &site.farewell]) {
            if text.len() > limits::NOTE_BYTES {
                return Err(Refusal::TextOutOfRange);
            }
        }
        if site.currency != self.site.currency && self.open_checks().len() > 0 {
            return Err(Refusal::ChecksOpen);
        }
        Ok(Event::SitePut(site.clone()))
    }

    fn put_staff(&self, staff: &Staff) -> Result<Event, Refusal> {
        check_name(&staff.name)?;
        check_room(self.staff_member(staff.id).is_some(), self.staff().len())?;
        if staff.role != Role::Owner {
            self.keeps_an_owner_without(staff.id)?;
        }
        Ok(Event::StaffPut(staff.clone()))
    }

    fn remove_staff(&self, id: StaffId) -> Result<Event, Refusal> {
        self.staff_member(id).ok_or(Refusal::NoSuchStaff)?;
        self.keeps_an_owner_without(id)?;
        Ok(Event::StaffRemoved(id))
    }

    fn keeps_an_owner_without(&self, id: StaffId) -> Result<(), Refusal> {
        let other_owner = self.staff().any(|staff| staff.role == Role::Owner && staff.id != id);
        if other_owner || !self.has_owner() { Ok(()) } else { Err(Refusal::LastOwner) }
    }

    fn put_table(&self, table: &Table) -> Result<Event, Refusal> {
        check_name(&table.name)?;
        check_room(self.table(table.id).is_some(), self.tables().len())?;
        let area: Option<&Area> = self.floor.area(table.area);
        area.ok_or(Refusal::NoSuchArea)?;
        Ok(Event::TablePut(table.clone()))
    }

    fn remove_table(&self, id: TableId) -> Result<Event, Refusal> {
        self.table(id).ok_or(Refusal::NoSuchTable)?;
        in_use(self.open.get(&Place::Table(id)).is_some())?;
        Ok(Event::TableRemoved(id))
    }

    fn remove_preparation(&self, id: PreparationId) -> Result<Event, Refusal> {
        self.catalog.preparation(id).ok_or(Refusal::NoSuchPreparation)?;
        in_use(self.catalog.products().any(|product| product.preparation == Some(id)))?;
        Ok(Event::PreparationRemoved(id))
    }

    fn remove_group(&self, id: GroupId) -> Result<Event, Refusal> {
        self.catalog.group(id).ok_or(Refusal::NoSuchGroup)?;
        in_use(self.catalog.products_in(id).next().is_some())?;
        Ok(Event::GroupRemoved(id))
    }

    fn put_modifier_group(&self, group: &ModifierGroup) -> Result<Event, Refusal> {
        check_name(&group.name)?;
        check_room(self.catalog.modifier_group(group.id).is_some(), self.catalog.modifier_groups().len())?;
        let possible = usize::from(group.max).min(group.modifiers.len());
        if group.max == 0
            || usize::from(group.min) > possible
            || group.modifiers.len() > limits::LINE_MODIFIERS
        {
            return Err(Refusal::ModifierGroupInvalid);
        }
        for (index, modifier) in group.modifiers.iter().enumerate() {
            check_name(&modifier.name)?;
            check_price(modifier.price)?;
            let others = self.catalog.modifier_groups().filter(|other| other.id != group.id);
            let elsewhere = others.flat_map(|other| &other.modifiers).any(|other| other.id == modifier.id);
            if elsewhere || group.modifiers[..index].iter().any(|other| other.id == modifier.id) {
                return Err(Refusal::ModifierGroupInvalid);
            }
        }
        Ok(Event::ModifierGroupPut(group.clone()))
    }

    fn remove_modifier_group(&self, id: ModifierGroupId) -> Result<Event, Refusal> {
        self.catalog.modifier_group(id).ok_or(Refusal::NoSuchModifierGroup)?;
        in_use(self.catalog.products().any(|product| product.modifier_groups.contains(&id)))?;
        Ok(Event::ModifierGroupRemoved(id))
    }

    fn put_product(&self, product: &Product) -> Result<Event, Refusal> {
        check_name(&product.name)?;
        check_price(product.price)?;
        check_room(self.catalog.product(product.id).is_some(), self.catalog.products().len())?;
        if product.barcode.len() > limits::NAME_BYTES {
            return Err(Refusal::TextOutOfRange);
        }
        self.catalog.group(product.group).ok_or(Refusal::NoSuchGroup)?;
        if let Some(preparation) = product.preparation {
            self.catalog.preparation(preparation).ok_or(Refusal::NoSuchPreparation)?;
        }
        for (index, id) in product.modifier_groups.iter().enumerate() {
            self.catalog.modifier_group(*id).ok_or(Refusal::NoSuchModifierGroup)?;
            if product.modifier_groups[..index].contains(id) {
                return Err(Refusal::ModifierGroupInvalid);
            }
        }
        Ok(Event::ProductPut(product.clone()))
    }

    fn set_photo(&self, product: ProductId, photo: Option<PhotoId>) -> Result<Event, Refusal> {
        self.catalog.product(product).ok_or(Refusal::NoSuchProduct)?;
        if photo.is_some() && self.photo(product).is_none() && self.photos.len() >= limits::PHOTOS {
            return Err(Refusal::ListFull);
        }
        Ok(Event::PhotoSet { product, photo })
    }
}

fn check_name(name: &str) -> Result<(), Refusal> {
    let fits =
        !name.trim().is_empty() && name.len() <= limits::NAME_BYTES && !name.contains(char::is_control);
    if fits { Ok(()) } else { Err(Refusal::TextOutOfRange) }
}

fn check_price(price: Money) -> Result<(), Refusal> {
    if (-limits::PRICE..=limits::PRICE).contains(&price) { Ok(()) } else { Err(Refusal::AmountOutOfRange) }
}

fn check_room(replaces: bool, entries: usize) -> Result<(), Refusal> {
    if replaces || entries < limits::ENTRIES { Ok(()) } else { Err(Refusal::ListFull) }
}

fn in_use(used: bool) -> Result<(), Refusal> {
    if used { Err(Refusal::InUse) } else { Ok(()) }
}
