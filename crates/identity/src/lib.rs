//! Keys, certificates, pairing and licences
