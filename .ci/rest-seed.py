"""Puts one of each main entity into the mesh at the given address, and prints the ids as settings of schemathesis."""

import json
import sys
import time
import urllib.request

base = sys.argv[1]


def call(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(base + path, data, {"content-type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=300) as answer:
        return json.load(answer)


def post(path, body):
    return call("POST", path, body)


def only(path, field):
    """The first element of a list that fills a moment after the command that causes it."""
    for _ in range(3000):
        found = call("GET", path)[field]
        if found:
            return found[0]
        time.sleep(0.1)
    sys.exit(f"{path} stays empty")


address = {"name": "Acme", "street": "Hauptstr. 1", "city": "Hamburg", "postalCode": "20095", "country": "DE"}
post("/v1/partners", {"partnerId": "par_wh", "name": "Warehouse", "kind": "PARTNER_KIND_WAREHOUSE"})
post("/v1/partners", {"partnerId": "par_ca", "name": "Carrier", "kind": "PARTNER_KIND_CARRIER", "scac": "ABCD"})
post("/v1/locations", {"locationId": "nod_wh", "name": "Warehouse"})
post("/v1/nodes", {
    "nodeId": "nod_wh", "name": "Warehouse", "partnerId": "par_wh", "country": "DE",
    "handlingClasses": ["HANDLING_CLASS_AMBIENT"], "serviceAreas": [{"rank": 1, "countries": ["DE"]}],
})
price = {"currency": "EUR", "minorUnits": "1000"}
post("/v1/items", {"sku": "TEA", "name": "Tea", "handlingClass": "HANDLING_CLASS_AMBIENT", "listPrice": price})
post("/v1/locations/nod_wh:receive", {"items": [{"sku": "TEA", "quantity": 100}]})
post("/v1/accounts", {"accountId": "acc_A", "name": "Acme", "currency": "EUR", "billTo": address})
order = post("/v1/orders", {
    "accountId": "acc_A", "customerPo": "PO-1", "shipToAddress": address, "lines": [{"sku": "TEA", "quantity": 2}],
})["orderId"]
work = only(f"/v1/fulfillment-orders?orderId={order}", "fulfillmentOrders")["fulfillmentOrderId"]

ids = {
    "accountId": "acc_A", "partnerId": "par_wh", "carrierId": "par_ca", "nodeId": "nod_wh", "locationId": "nod_wh",
    "sku": "TEA", "orderId": order, "fulfillmentOrderId": work,
}
# A stream ends only with its deadline.
print('headers = { Request-Timeout = "30" }')
print('[[operations]]\ninclude-path-regex = ":follow$"\nheaders = { Request-Timeout = "1" }')
for name, value in ids.items():
    print(f'[dictionaries.{name}]\nvalues = ["{value}"]')
print("[parameters]")
for name in ids:
    for place in ("path", "query", "body"):
        print(f'"{place}.{name}" = {{ dictionary = "{name}", probability = 0.8 }}')
