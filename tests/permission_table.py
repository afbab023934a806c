"""Who may do what: each operation of the joined application, and how it answers each kind of caller.

`owner` is the customer whose order, wallet and profile the request is about, `stranger` another customer.  401: nobody
has logged in; 403: not with these roles; 404: not for you, or (dead letters, returns, a bank's switches) there is none;
409: allowed, but an operator has settled that payment before, the parcel is handed over already, or the order is
cancelled.  A webhook of the bank is let in by its signature only.  The staff have no role but the one in the head of
the column.
"""

TABLE = """
                                                       nobody stranger owner OPERATOR STOCK_OP SHIPPING_OP ADMIN
POST  /v1/users                                           201      201   201      201      201         201   201
POST  /v1/tokens                                          201      201   201      201      201         201   201
POST  /v1/tokens/refresh                                  200      200   200      200      200         200   200
POST  /v1/tokens/revocation                               204      204   204      204      204         204   204
GET   /v1/me                                              401      200   200      200      200         200   200
PATCH /v1/me                                              401      200   200      200      200         200   200
GET   /v1/users                                           401      403   403      200      403         403   200
GET   /v1/users/{user_id}                                 401      403   403      403      403         403   200
PUT   /v1/users/{user_id}/roles                           401      403   403      403      403         403   200
GET   /v1/users/{user_id}/role-changes                    401      403   403      403      403         403   200
POST  /v1/users/confirmation                              400      400   400      400      400         400   400
POST  /v1/users/password-reset                            202      202   202      202      202         202   202
POST  /v1/users/password                                  400      400   400      400      400         400   400
POST  /v1/me/email                                        401      202   202      202      202         202   202
PUT   /v1/me/password                                     401      204   204      204      204         204   204
POST  /v1/me/confirmation                                 401      202   202      202      202         202   202
GET   /v1/me/addresses                                    401      200   200      200      200         200   200
POST  /v1/me/addresses                                    401      201   201      201      201         201   201
PUT   /v1/me/addresses/{address_id}                       401      404   200      404      404         404   404
DELETE /v1/me/addresses/{address_id}                      401      404   204      404      404         404   404
GET   /v1/me/export                                       401      200   200      200      200         200   200
GET   /v1/clients                                         401      403   403      403      403         403   200
POST  /v1/clients                                         401      403   403      403      403         403   201
DELETE /v1/clients/{client_id}                            401      403   403      403      403         403   404
GET   /.well-known/jwks.json                              200      200   200      200      200         200   200
GET   /v1/products                                        200      200   200      200      200         200   200
POST  /v1/products                                        401      403   403      201      403         403   201
GET   /v1/products/{sku}                                  200      200   200      200      200         200   200
PATCH /v1/products/{sku}                                  401      403   403      200      403         403   200
GET   /v1/products/{sku}/prices                           200      200   200      200      200         200   200
PUT   /v1/products/{sku}/photo                            401      403   403      200      403         403   200
DELETE /v1/products/{sku}/photo                           401      403   403      200      403         403   200
GET   /v1/photos/{photo_id}                               200      200   200      200      200         200   200
POST  /v1/products/import                                 401      403   403      200      403         403   200
GET   /v1/products/export                                 401      403   403      200      403         403   200
GET   /v1/stock/{sku}                                     401      403   403      403      200         403   200
GET   /v1/stock/{sku}/availability                        200      200   200      200      200         200   200
GET   /v1/stock/{sku}/movements                           401      403   403      403      200         403   200
GET   /v1/stock/{sku}/reservations                        401      403   403      403      200         403   200
POST  /v1/stock/{sku}/receipts                            401      403   403      403      200         403   200
POST  /v1/stock/{sku}/adjustments                         401      403   403      403      200         403   200
GET   /v1/orders                                          401      200   200      200      200         200   200
POST  /v1/orders                                          401      202   202      202      202         202   202
GET   /v1/orders/{order_id}                               401      404   200      200      404         404   200
PUT   /v1/orders/{order_id}                               401      404   409      409      404         404   409
GET   /v1/orders/{order_id}/events                        401      404   200      200      404         404   200
GET   /v1/orders/{order_id}/payments                      401      404   200      200      404         404   200
POST  /v1/orders/{order_id}/payments                      401      404   409      403      404         404   403
POST  /v1/orders/{order_id}/cancellation                  401      404   200      200      404         404   200
POST  /v1/orders/{order_id}/returns                       401      404   409      409      404         404   409
PUT   /v1/orders/{order_id}/status                        401      403   403      409      403         403   409
GET   /v1/basket                                          401      200   200      200      200         200   200
PUT   /v1/basket                                          401      200   200      200      200         200   200
GET   /v1/delivery-methods                                200      200   200      200      200         200   200
POST  /v1/delivery-methods                                401      403   403      403      403         201   201
GET   /v1/delivery-methods/{method}                       401      403   403      403      403         200   200
PUT   /v1/delivery-methods/{method}                       401      403   403      403      403         200   200
GET   /v1/shipments                                       401      200   200      200      200         200   200
GET   /v1/shipments/{shipment_id}                         401      404   200      200      404         200   200
POST  /v1/shipments/{shipment_id}/hand-over               401      403   403      403      403         200   409
POST  /v1/shipments/{shipment_id}/delivery                401      403   403      403      403         200   409
POST  /v1/shipments/{shipment_id}/returns/{return_id}/receipt 401  403   403      403      403         404   404
GET   /v1/promo-codes                                     401      403   403      200      403         403   200
POST  /v1/promo-codes                                     401      403   403      201      403         403   201
GET   /v1/promo-codes/{code}                              401      403   403      200      403         403   200
PATCH /v1/promo-codes/{code}                              401      403   403      200      403         403   200
GET   /v1/promo-codes/{code}/check                        401      200   200      200      200         200   200
GET   /v1/wallet                                          401      200   200      200      200         200   200
GET   /v1/wallet/house                                    401      403   403      200      403         403   200
GET   /v1/wallet/entries                                  401      200   200      200      200         200   200
POST  /v1/wallet/deposits                                 401      403   403      201      403         403   201
POST  /v1/wallet/withdrawals                              401      201   201      201      201         201   201
POST  /v1/wallet/top-ups                                  401      202   202      202      202         202   202
GET   /v1/payments                                        401      200   200      200      200         200   200
GET   /v1/payments/{payment_id}                           401      404   200      200      404         404   200
POST  /v1/bank-webhooks/{bank}                            401      401   401      401      401         401   401
GET   /v1/notifications/preferences                       401      200   200      200      200         200   200
PATCH /v1/notifications/preferences                       401      200   200      200      200         200   200
GET   /v1/webhooks                                        401      403   403      200      403         403   200
POST  /v1/webhooks                                        401      403   403      403      403         403   201
GET   /v1/webhooks/{webhook_id}                           401      403   403      404      403         403   404
PATCH /v1/webhooks/{webhook_id}                           401      403   403      403      403         403   404
DELETE /v1/webhooks/{webhook_id}                          401      403   403      403      403         403   404
POST  /v1/webhooks/{webhook_id}/secret                    401      403   403      403      403         403   404
GET   /v1/webhooks/{webhook_id}/deliveries                401      403   403      404      403         403   404
POST  /v1/webhooks/{webhook_id}/deliveries/{delivery_id}/replay 401      403   403      404      403         403   404
GET   /v1/orders/{order_id}/timeline                      401      404   200      200      404         404   200
GET   /v1/operations/orders/stuck                         401      403   403      200      403         403   200
POST  /v1/operations/orders/{order_id}/cancellation       401      403   403      200      403         403   200
POST  /v1/operations/parked-keys/{service}/{key}/release  401      403   403      404      403         403   404
GET   /v1/operations/actions                              401      403   403      200      403         403   200
GET   /v1/notifications                                   401      200   200      200      200         200   200
GET   /v1/operations/payments/unknown                     401      403   403      200      403         403   200
POST  /v1/operations/payments/{payment_id}/resolution     401      403   403      200      403         403   409
POST  /v1/operations/reconciliation                       401      403   403      202      403         403   202
GET   /v1/operations/reconciliation                       401      403   403      200      403         403   200
GET   /v1/operations/bank/misbehaviour                    401      403   403      404      403         403   404
PUT   /v1/operations/bank/misbehaviour                    401      403   403      404      403         403   404
GET   /v1/operations/reconciliation/differences          401      403   403      200      403         403   200
GET   /v1/operations/dead-letters                         401      403   403      200      403         403   200
POST  /v1/operations/dead-letters/{letter_id}/release     401      403   403      404      403         403   404
POST  /v1/operations/dead-letters/{letter_id}/discard     401      403   403      404      403         403   404
GET   /v1/operations/consumers                            401      403   403      200      403         403   200
POST  /v1/operations/consumers/{service}/pause            401      403   403      404      403         403   404
POST  /v1/operations/consumers/{service}/resume           401      403   403      404      403         403   404
GET   /v1/operations/vitals                               401      403   403      200      403         403   200
GET   /v1/operations/orders/pace                          401      403   403      200      403         403   200
GET   /v1/operations/steps                                401      403   403      200      403         403   200
GET   /v1/operations/audit                                401      403   403      200      403         403   200
POST  /v1/operations/audit                                401      403   403      202      403         403   409
GET   /v1/operations/log-level                            401      403   403      403      403         403   200
PUT   /v1/operations/log-level                            401      403   403      403      403         403   200
GET   /healthz                                            200      200   200      200      200         200   200
GET   /readyz                                             200      200   200      200      200         200   200
GET   /info                                               200      200   200      200      200         200   200
GET   /metrics                                            200      200   200      200      200         200   200
GET   /openapi.json                                       200      200   200      200      200         200   200
GET   /docs                                               200      200   200      200      200         200   200
GET   /services/{name}/openapi.json                       200      200   200      200      200         200   200
GET   /services/{name}/docs                               200      200   200      200      200         200   200
GET   /docs/<version>/{asset}                             200      200   200      200      200         200   200
DELETE /v1/me                                             401      204   204      204      204         204   204
"""

HEAD, *ROWS = [line.split() for line in TABLE.strip().splitlines()]
EXPECTED = {" ".join(row[:2]): dict(zip(HEAD, map(int, row[2:]), strict=True)) for row in ROWS}
