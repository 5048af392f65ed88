//! What every thin client shares
