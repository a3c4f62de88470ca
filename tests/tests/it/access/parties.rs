//! Parties for the tests of access: each a customer with two accounts, a warehouse and a carrier, and their data.

use mesh::{Accounts, Kind, Principal, Role};
use serde_json::{Value, json};
use waybill_e2e::{World, address};

/// A customer, the warehouse and the carrier that serve it, and their data.
pub(super) struct Party {
    pub(super) customer: Principal,
    /// A person in customer service who sees this customer's accounts only.
    pub(super) clerk: Principal,
    /// A person in operations who sees this customer's accounts only.
    pub(super) foreman: Principal,
    /// A program of the distributor that sees this customer's accounts only.
    pub(super) program: Principal,
    pub(super) warehouse: Principal,
    pub(super) carrier: Principal,
    pub(super) account: String,
    pub(super) ship_to: String,
    pub(super) sku: String,
    pub(super) node: String,
    pub(super) po: String,
    pub(super) tracking: String,
    /// An order that is delivered, with a return.
    pub(super) order: String,
    /// An order that is not shipped.
    pub(super) open_order: String,
    /// An order that waits for stock, of which one change was withdrawn and another is proposed.
    pub(super) changing_order: String,
    /// One that goes to two places, and is routed to each.
    pub(super) divided_order: String,
    pub(super) fulfillment_order: String,
    pub(super) open_fulfillment_order: String,
    pub(super) shipment: String,
    /// A package of the shipment.
    pub(super) package: String,
    pub(super) return_id: String,
    pub(super) second_return: String,
    pub(super) warehouse_message: String,
    pub(super) carrier_message: String,
    /// Exceptions about the orders that are delivered: more came back than was authorized.
    pub(super) exception: String,
    pub(super) second_exception: String,
    /// A program of the customer with two keys, and one without.
    pub(super) api_client: String,
    pub(super) second_api_client: String,
    pub(super) api_key: String,
    /// Texts that only those who belong to the party may read.
    pub(super) marks: Vec<String>,
}

fn person(role: Role, subject: String, accounts: &[String]) -> Principal {
    let accounts = accounts.iter().map(|account| account.parse().unwrap()).collect();
    let accounts = Accounts::Only(accounts);
    Principal { kind: Kind::Person, subject, roles: role.into(), accounts, partner: None, key: None }
}

pub(super) fn partner(id: &str) -> Principal {
    Principal { kind: Kind::Partner, partner: Some(id.parse().unwrap()), ..person(Role::Partner, id.to_owned(), &[]) }
}

impl Party {
    pub(super) fn warehouse_id(&self) -> &str {
        &self.warehouse.subject
    }

    pub(super) fn carrier_id(&self) -> &str {
        &self.carrier.subject
    }

    /// Creates the party `name` with all its data. The name must be new to `world`.
    pub(super) async fn settle(world: &World, name: &str) -> Self {
        let [warehouse, carrier, node, sku] =
            ["par_w", "par_c", "nod_", "SKU-"].map(|prefix| format!("{prefix}{name}"));
        let accounts = [format!("acc_{name}1"), format!("acc_{name}2")];
        let ship_tos = [format!("shp_{name}1"), format!("shp_{name}2")];
        for (id, kind) in [(&warehouse, "PARTNER_KIND_WAREHOUSE"), (&carrier, "PARTNER_KIND_CARRIER")] {
            world.post("/v1/partners", &json!({"partnerId": id, "name": id, "kind": kind})).await;
        }
        world.post("/v1/locations", &json!({"locationId": node, "name": node})).await;
        let service_areas = json!([{"rank": 1, "countries": ["DE"]}]);
        let new_node = json!({
            "nodeId": node, "name": node, "partnerId": warehouse, "country": "DE",
            "handlingClasses": ["HANDLING_CLASS_AMBIENT"], "serviceAreas": service_areas,
        });
        world.post("/v1/nodes", &new_node).await;
        world.item(&sku, "HANDLING_CLASS_AMBIENT").await;
        world.receive(&node, &sku, 100).await;
        for account in &accounts {
            let new = json!({"accountId": account, "name": account, "currency": "USD", "billTo": address("DE")});
            world.post("/v1/accounts", &new).await;
        }
        for ship_to in &ship_tos {
            let new = json!({"shipToId": ship_to, "address": address("DE")});
            world.post(&format!("/v1/accounts/{}/ship-tos", accounts[0]), &new).await;
        }
        world.drain().await;

        let mut party = Self {
            customer: person(Role::Customer, format!("buyer of {name}"), &accounts),
            clerk: person(Role::CustomerService, format!("clerk of {name}"), &accounts),
            foreman: person(Role::Operations, format!("foreman of {name}"), &accounts),
            program: Principal {
                kind: Kind::Application,
                ..person(Role::Application, format!("program of {name}"), &accounts)
            },
            warehouse: partner(&warehouse),
            carrier: partner(&carrier),
            account: accounts[0].clone(),
            ship_to: ship_tos[0].clone(),
            po: format!("PO-{name}-1"),
            tracking: format!("TRACK-{name}-1"),
            marks: [accounts.as_slice(), &ship_tos, &[warehouse, carrier]].concat(),
            sku,
            node,
            order: String::new(),
            open_order: String::new(),
            changing_order: String::new(),
            divided_order: String::new(),
            fulfillment_order: String::new(),
            open_fulfillment_order: String::new(),
            shipment: String::new(),
            package: String::new(),
            return_id: String::new(),
            second_return: String::new(),
            warehouse_message: String::new(),
            carrier_message: String::new(),
            exception: String::new(),
            second_exception: String::new(),
            api_client: format!("cli_{name}1"),
            second_api_client: format!("cli_{name}2"),
            api_key: String::new(),
        };
        for (number, account) in [(1, &accounts[0]), (2, &accounts[0]), (3, &accounts[0]), (4, &accounts[1])] {
            party.order(world, name, number, account).await;
        }
        party.order_for_two_places(world, name).await;
        party.waiting_order(world, name).await;
        party.books(world).await;
        party.programs(world).await;
        party
    }

    /// Places an order for two places.
    async fn order_for_two_places(&mut self, world: &World, name: &str) {
        let line = |group: i32| json!({"sku": self.sku, "quantity": 1, "shipToGroup": group});
        let place = |group: i32| json!({"shipToGroup": group, "shipToAddress": address("DE")});
        let po = format!("PO-{name}-two-places");
        let body = json!({
            "accountId": self.account, "customerPo": po, "shipToGroups": [place(1), place(2)], "lines": [line(1), line(2)],
        });
        self.divided_order = text(&world.post("/v1/orders", &body).await, "orderId");
        world.drain().await;
        self.marks.extend([po, self.divided_order.clone()]);
    }

    /// Places an order of more than there is, and proposes two changes of it.
    async fn waiting_order(&mut self, world: &World, name: &str) {
        let lines = json!([{"sku": self.sku, "quantity": 500}, {"sku": self.sku, "quantity": 500}]);
        let po = format!("PO-{name}-waiting");
        let body = json!({
            "accountId": self.account, "customerPo": po, "shipToAddress": address("DE"), "lines": lines,
            "shipNotBefore": "2026-12-01T00:00:00Z",
        });
        self.changing_order = text(&world.post("/v1/orders", &body).await, "orderId");
        world.drain().await;
        let changes = format!("/v1/orders/{}/changes", self.changing_order);
        let change = json!({"lines": [{"lineNumber": 1, "quantity": "499"}]});
        world.post(&changes, &change).await;
        world.post(&format!("{changes}/1:withdraw"), &json!({})).await;
        world.post(&changes, &change).await;
        world.drain().await;
        self.marks.extend([po, self.changing_order.clone()]);
    }

    /// Records invoices of the delivered order, and prices of the account.
    async fn books(&mut self, world: &World) {
        for number in ["OLD-1", "OLD-2"] {
            let lines = json!([{"lineNumber": 1, "quantity": "1", "amountMinor": "1000"}]);
            let invoice = json!({"invoiceNumber": number, "issueTime": "2026-01-01T00:00:00Z", "lines": lines});
            world.post(&format!("/v1/orders/{}/invoices", self.order), &invoice).await;
        }
        let other = format!("{}-OTHER", self.sku);
        world.item(&other, "HANDLING_CLASS_AMBIENT").await;
        let price = |sku: &str| json!({"sku": sku, "breaks": [{"unitPriceMinor": "900"}]});
        let prices = json!({"prices": [price(&self.sku), price(&other)]});
        world.post(&format!("/v1/accounts/{}:setPrices", self.account), &prices).await;
        world.drain().await;
    }

    /// Creates two programs of the customer.
    async fn programs(&mut self, world: &World) {
        for api_client in [&self.api_client, &self.second_api_client] {
            let access = json!({"accountIds": [self.account]});
            let kind = "API_CLIENT_KIND_CUSTOMER";
            let new = json!({"apiClientId": api_client, "name": api_client, "kind": kind, "access": access});
            world.post("/v1/api-clients", &new).await;
        }
        for _ in 0..2 {
            let made = world.post(&format!("/v1/api-clients/{}/api-keys", self.api_client), &json!({})).await;
            self.api_key = text(&made["apiKey"], "apiKeyId");
        }
        self.marks.extend([self.api_client.clone(), self.second_api_client.clone()]);
    }

    /// More comes back of an order than was authorized, which opens an exception, and some of it is credited.
    async fn over_receive(&mut self, world: &World, order: &str) {
        let lines = |quantity: i32| json!([{"lineNumber": 1, "quantity": quantity}]);
        let returned = world.post("/v1/returns", &json!({"orderId": order, "lines": lines(1)})).await;
        let path = format!("/v1/returns/{}", text(&returned, "returnId"));
        world.post(&format!("{path}:receive"), &json!({"lines": lines(2)})).await;
        let dispositions = json!([{"kind": "DISPOSITION_KIND_SCRAP", "quantity": 1}]);
        let inspected = json!({"lines": [{"lineNumber": 1, "dispositions": dispositions}]});
        world.post(&format!("{path}:inspect"), &inspected).await;
        world.drain().await;
        let opened = world.get(&format!("/v1/exceptions?orderId={order}")).await;
        let exception = text(&opened["exceptions"][0], "exceptionId");
        self.second_exception = std::mem::replace(&mut self.exception, exception.clone());
        self.marks.push(exception);
    }

    /// Places an order. The first two of a party are delivered, and a return is authorized for them.
    async fn order(&mut self, world: &World, name: &str, number: u32, account: &str) {
        let lines = json!([{"sku": self.sku, "quantity": 4}]);
        let po = format!("PO-{name}-{number}");
        let body = json!({"accountId": account, "customerPo": po, "shipToAddress": address("DE"), "lines": lines});
        let order = text(&world.post("/v1/orders", &body).await, "orderId");
        world.drain().await;
        let fulfillment_order = text(&world.fulfillment_orders(&order).await[0], "fulfillmentOrderId");
        self.marks.extend([po, order.clone(), fulfillment_order.clone()]);
        if number > 2 {
            (self.open_order, self.open_fulfillment_order) = (order, fulfillment_order);
            return;
        }
        let tracking = format!("TRACK-{name}-{number}");
        let accepted = json!({"accepted": {"fulfillmentOrderId": fulfillment_order}});
        let message = world.report(self.warehouse_id(), &format!("accept-{number}"), accepted).await;
        let shipped = json!({"shipped": shipped(&fulfillment_order, self.carrier_id(), &tracking)});
        world.report(self.warehouse_id(), &format!("ship-{number}"), shipped).await;
        let delivered = milestone(&tracking, "MILESTONE_CODE_DELIVERED");
        let delivery = world.report(self.carrier_id(), &format!("deliver-{number}"), delivered).await;
        assert_eq!(delivery["state"], "MESSAGE_STATE_APPLIED", "{delivery}");
        world.drain().await;
        let shipments = world.get(&format!("/v1/orders/{order}/shipments")).await;
        assert_eq!(shipments["shipments"][0]["state"], "SHIPMENT_STATE_DELIVERED", "{shipments}");
        let back = json!({"orderId": order, "lines": [{"lineNumber": 1, "quantity": 1}]});
        let returned = world.post("/v1/returns", &back).await;
        self.warehouse_message = text(&message, "messageId");
        self.carrier_message = text(&delivery, "messageId");
        self.shipment = text(&shipments["shipments"][0], "shipmentId");
        self.package = text(&shipments["shipments"][0]["packages"][0], "packageId");
        self.second_return = std::mem::replace(&mut self.return_id, text(&returned, "returnId"));
        (self.order, self.fulfillment_order, self.tracking) = (order, fulfillment_order, tracking.clone());
        self.po = format!("PO-{name}-{number}");
        let messages = [self.warehouse_message.clone(), self.carrier_message.clone()];
        self.marks.extend([tracking, self.shipment.clone(), self.return_id.clone()].into_iter().chain(messages));
        let order = self.order.clone();
        self.over_receive(world, &order).await;
    }
}

/// A report that all units were shipped in one package.
pub(super) fn shipped(fulfillment_order: &str, carrier: &str, tracking: &str) -> Value {
    let packages = json!([{"trackingNumber": tracking, "lines": [{"lineNumber": 1, "quantity": 4}]}]);
    json!({"fulfillmentOrderId": fulfillment_order, "shipmentReference": "S-1", "carrierId": carrier, "packages": packages})
}

/// A carrier's report.
pub(super) fn milestone(tracking: &str, code: &str) -> Value {
    let milestone = json!({
        "trackingNumber": tracking, "code": code, "rawCode": "X", "occurTime": "2026-05-28T20:27:00Z",
    });
    json!({"milestone": {"milestone": milestone}})
}

pub(super) fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_else(|| panic!("no {field} in {value}")).to_owned()
}
