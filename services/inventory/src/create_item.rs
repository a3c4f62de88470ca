//! Creates an item, and its counters.

use proto::inventory::v1 as wire;
use store::{Command, Context, Needs, NewEvent, Rows};
use types::{Currency, Fault, Reason};

use crate::{
    item::{HandlingClass, Item, State, Units},
    stock::Stock,
};

/// A new item.
pub(crate) struct CreateItem {
    pub(crate) sku: String,
    pub(crate) name: String,
    pub(crate) pack: String,
    pub(crate) category: String,
    pub(crate) handling_class: HandlingClass,
    pub(crate) base_uom: String,
    pub(crate) units: Units,
    pub(crate) list_price: Option<(i64, Currency)>,
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
        rows.put(Stock::none_of(self.sku.clone(), now));
        let item = rows.put(Item {
            sku: self.sku.clone(),
            name: self.name.clone(),
            pack: self.pack.clone(),
            category: self.category.clone(),
            handling_class: self.handling_class,
            base_uom: self.base_uom.clone(),
            units: self.units.clone(),
            list_price_minor: self.list_price.map(|(minor, _)| minor),
            list_price_currency: self.list_price.map(|(_, currency)| currency),
            state: State::Active,
            create_time: now,
            update_time: now,
            version: 0,
        });
        Ok(tell("item.created", &item, cx))
    }
}

/// Tells that an item changed; answers it as the wire has it.
pub(crate) fn tell(kind: &'static str, item: &Item, cx: &mut Context<'_>) -> wire::Item {
    let image = crate::wire::item(item);
    let fact = wire::ItemChanged { item: Some(image.clone()) };
    cx.emit(NewEvent::untyped(kind, &item.sku, item.version, item.version, &fact));
    image
}
