//! The domain of a till: money, tax, catalogue, checks and tenders
