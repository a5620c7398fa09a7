"""The yardstick: any model on any data set, beside its floors."""
