"""Who a person is: contacts, and the identities that lead to them."""
