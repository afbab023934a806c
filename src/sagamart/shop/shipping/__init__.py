"""Shipping: how goods reach customers, what that costs, and where each parcel is."""
