//! Changes an item.

use std::sync::Arc;

use mesh::wire::{Checks, checked};
use proto::{events::InventoryEvent, inventory::v1 as wire};
use store::{Command, Context, Needs, Rows};
use types::{Currency, Fault, limits::MAX_NAME};

use crate::{
    events::emit_item,
    item::{Item, ItemState, read_decimals, read_price},
    unit::UnitChange,
};

/// Changes of an item; what is absent stays.
pub(crate) struct UpdateItem {
    sku: String,
    /// The etag that was read; any when empty.
    etag: String,
    name: Option<String>,
    pack: Option<String>,
    category: Option<String>,
    list_price: Option<(i64, Currency)>,
    state: Option<ItemState>,
    base_decimals: Option<i64>,
    order_multiple: Option<i64>,
    minimum_quantity: Option<i64>,
    units: Vec<UnitChange>,
}

impl UpdateItem {
    pub(crate) fn parse(request: &wire::UpdateItemRequest, _: &Arc<mesh::Principal>) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let sku = checks.sku("sku", &request.sku);
        let name = request.name.as_ref().and_then(|name| checks.text("name", name, MAX_NAME));
        let pack = request.pack.as_ref().and_then(|pack| checks.optional_text("pack", pack, MAX_NAME));
        let category =
            request.category.as_ref().and_then(|category| checks.optional_text("category", category, MAX_NAME));
        let state = request.state.and_then(|state| checks.optional_choice("state", state));
        let list_price = read_price(&mut checks, request.list_price.as_ref());
        let base_decimals =
            request.base_decimals.and_then(|decimals| read_decimals(&mut checks, "base_decimals", decimals));
        let order_multiple = request.order_multiple.and_then(|units| checks.quantity("order_multiple", units, 0));
        let minimum_quantity = request.minimum_quantity.and_then(|units| checks.quantity("minimum_quantity", units, 0));
        let units = UnitChange::read(&mut checks, &request.units);
        checks.done()?;
        Ok(Self {
            sku: checked(sku)?,
            etag: request.etag.clone(),
            name,
            pack,
            category,
            list_price: checked(list_price)?,
            state: state.map(|state| ItemState::from_contract(state).unwrap_or(ItemState::Active)),
            base_decimals,
            order_multiple,
            minimum_quantity,
            units: checked(units)?,
        })
    }
}

impl Command for UpdateItem {
    type Reply = wire::Item;
    const NAME: &'static str = "UpdateItem";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.row::<Item>(&self.sku);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<wire::Item, Fault> {
        let present = rows.get::<Item>(&self.sku)?.ok_or_else(|| Fault::not_found("item", &self.sku))?;
        Fault::check_etag("item", &self.etag, present.version)?;
        let mut item = present.clone();
        let set = |field: &mut String, value: &Option<String>| {
            if let Some(value) = value {
                field.clone_from(value);
            }
        };
        set(&mut item.name, &self.name);
        set(&mut item.pack, &self.pack);
        set(&mut item.category, &self.category);
        if let Some((minor, currency)) = self.list_price {
            (item.list_price_minor, item.list_price_currency) = (Some(minor), Some(currency));
        }
        item.state = self.state.unwrap_or(item.state);
        item.base_decimals = self.base_decimals.unwrap_or(item.base_decimals);
        item.order_multiple = self.order_multiple.unwrap_or(item.order_multiple);
        item.minimum_quantity = self.minimum_quantity.unwrap_or(item.minimum_quantity);
        self.units
            .iter()
            .enumerate()
            .try_for_each(|(index, change)| change.apply(index, &present.base_uom, &mut item.units))?;
        if item == *present {
            return Ok(crate::wire::item(present));
        }
        item.update_time = cx.now();
        let item = rows.put(item);
        Ok(emit_item(InventoryEvent::ItemUpdated, &item, cx))
    }
}
