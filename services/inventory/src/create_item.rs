//! Creates an item, and the counters of goods.

use std::sync::Arc;

use mesh::wire::{Checks, checked};
use proto::{events::InventoryEvent, inventory::v1 as wire};
use store::{Command, Context, Needs, Rows};
use types::{Currency, Fault, Reason, limits::MAX_NAME};

use crate::{
    events::emit_item,
    item::{HandlingClass, Item, ItemKind, ItemState, read_decimals, read_price},
    stock::Stock,
    unit::{Units, read_uom},
};

/// The base unit of an item that names none.
const DEFAULT_UOM: &str = "EA";

/// A new item.
pub(crate) struct CreateItem {
    sku: String,
    name: String,
    pack: String,
    category: String,
    kind: ItemKind,
    handling_class: HandlingClass,
    base_uom: String,
    units: Units,
    list_price: Option<(i64, Currency)>,
    base_decimals: i64,
    order_multiple: i64,
    minimum_quantity: i64,
}

impl CreateItem {
    pub(crate) fn parse(request: &wire::CreateItemRequest, _: &Arc<mesh::Principal>) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let sku = checks.sku("sku", &request.sku);
        let name = checks.text("name", &request.name, MAX_NAME);
        let pack = checks.optional_text("pack", &request.pack, MAX_NAME);
        let category = checks.optional_text("category", &request.category, MAX_NAME);
        let kind = checks.optional_choice("kind", request.kind);
        let kind = kind.map(|kind| ItemKind::from_contract(kind).unwrap_or(ItemKind::Goods));
        let handling_class = read_class(&mut checks, kind, request.handling_class);
        let base = if request.base_uom.is_empty() { DEFAULT_UOM } else { &request.base_uom };
        let base_uom = read_uom(&mut checks, "base_uom", base);
        let units = Units::read(&mut checks, &request.units, base);
        let list_price = read_price(&mut checks, request.list_price.as_ref());
        let base_decimals = read_decimals(&mut checks, "base_decimals", request.base_decimals);
        let order_multiple = checks.quantity("order_multiple", request.order_multiple, 0);
        let minimum_quantity = checks.quantity("minimum_quantity", request.minimum_quantity, 0);
        checks.done()?;
        Ok(Self {
            sku: checked(sku)?,
            name: checked(name)?,
            pack: checked(pack)?,
            category: checked(category)?,
            kind: checked(kind)?,
            handling_class: checked(handling_class)?,
            base_uom: checked(base_uom)?,
            units: checked(units)?,
            list_price: checked(list_price)?,
            base_decimals: checked(base_decimals)?,
            order_multiple: checked(order_multiple)?,
            minimum_quantity: checked(minimum_quantity)?,
        })
    }
}

/// Reads how an item must be stored, which a service does not say.
fn read_class(checks: &mut Checks, kind: Option<ItemKind>, class: i32) -> Option<HandlingClass> {
    if kind != Some(ItemKind::Service) {
        return checks.choice("handling_class", class).and_then(HandlingClass::from_contract);
    }
    if class != 0 {
        checks.wrong("handling_class", "must not be set: nobody stores a service");
    }
    Some(HandlingClass::Ambient)
}

impl Command for CreateItem {
    type Reply = wire::Item;
    const NAME: &'static str = "CreateItem";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.row::<Item>(&self.sku);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<wire::Item, Fault> {
        if rows.get::<Item>(&self.sku)?.is_some() {
            return Err(Fault::new(Reason::AlreadyExists, format!("item {} exists already", self.sku)));
        }
        let now = cx.now();
        if self.kind == ItemKind::Goods {
            rows.put(Stock::none_of(self.sku.clone(), self.handling_class, now));
        }
        let item = rows.put(Item {
            sku: self.sku.clone(),
            name: self.name.clone(),
            pack: self.pack.clone(),
            category: self.category.clone(),
            kind: self.kind,
            handling_class: self.handling_class,
            base_uom: self.base_uom.clone(),
            units: self.units.clone(),
            list_price_minor: self.list_price.map(|(minor, _)| minor),
            list_price_currency: self.list_price.map(|(_, currency)| currency),
            state: ItemState::Active,
            base_decimals: self.base_decimals,
            order_multiple: self.order_multiple,
            minimum_quantity: self.minimum_quantity,
            create_time: now,
            update_time: now,
            version: 0,
        });
        Ok(emit_item(InventoryEvent::ItemCreated, &item, cx))
    }
}
