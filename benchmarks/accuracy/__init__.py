"""flowmrd and the field's methods on cohorts with truth."""
