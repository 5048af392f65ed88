//! The configuration's section `[public]`.
//!
//! ```toml
//! [public]                                   # how browsers reach the box from other networks; it has to join a relay first
//! acme = "https://acme.example/directory"    # the authority that certifies the box's name there (ACME) ...
//! contact = "mailto:it@chain.example"        # ... whom it writes to ...
//! acme_root = "/etc/tresen/root.pem"         # ... and its own root, if this machine does not know it
//! certificate = "/etc/tresen/chain.pem"      # or: a certificate from elsewhere, looked at every hour ...
//! key = "/etc/tresen/key.pem"                # ... and its key; without either, the box makes one, which browsers warn of
//! office = false                             # whether the back office is there too; everybody on the internet can try its PINs then
//! ```

use std::path::PathBuf;

use serde::Deserialize;

/// How the box shows itself under its public name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Text")]
pub struct Public {
    /// Where the certificate comes from.
    pub certificate: CertificateFrom,
    /// Whether the back office is served there.
    pub office: bool,
}

/// Where the certificate for the public name comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum CertificateFrom {
    /// Made here.
    #[default]
    Own,
    /// Somebody else puts it into files, PEM.
    Files {
        /// The certificate, and those that certify it.
        chain: PathBuf,
        /// Its private key.
        key: PathBuf,
    },
    /// An authority.
    Acme(AcmeSettings),
}

/// How an authority is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcmeSettings {
    /// Where it is.
    pub directory: String,
    /// Whom it writes to.
    pub contact: Option<String>,
    /// A file with its root certificate, if that is not one of the system's.
    pub root: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    acme: Option<String>,
    contact: Option<String>,
    acme_root: Option<PathBuf>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    #[serde(default)]
    office: bool,
}

impl TryFrom<Text> for Public {
    type Error = &'static str;

    fn try_from(text: Text) -> Result<Self, &'static str> {
        let Text { acme, contact, acme_root: root, certificate, key, office } = text;
        let certificate = match (acme, certificate, key) {
            (None, None, None) if contact.is_none() && root.is_none() => CertificateFrom::Own,
            (None, Some(chain), Some(key)) if contact.is_none() && root.is_none() => {
                CertificateFrom::Files { chain, key }
            }
            (Some(directory), None, None) => {
                if !directory.starts_with("https://") {
                    return Err("expected acme = \"https://…\", the address of an authority's directory");
                }
                if contact.as_ref().is_some_and(|contact| !contact.starts_with("mailto:")) {
                    return Err("expected contact = \"mailto:…\", an address of mail");
                }
                CertificateFrom::Acme(AcmeSettings { directory, contact, root })
            }
            _ => return Err("expected either acme (with contact, acme_root), or certificate and key"),
        };
        Ok(Self { certificate, office })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Promise: a certificate comes from one place, and half a configuration is refused.
    #[test]
    fn a_certificate_comes_from_one_place() {
        let read = |text: &str| toml::from_str::<Public>(text);
        assert_eq!(read("").unwrap(), Public::default());
        assert!(read("office = true").unwrap().office);
        let files = read("certificate = \"a\"\nkey = \"b\"").unwrap().certificate;
        assert_eq!(files, CertificateFrom::Files { chain: "a".into(), key: "b".into() });
        let acme =
            read("acme = \"https://acme.example/directory\"\ncontact = \"mailto:a@b.example\"").unwrap();
        assert!(matches!(acme.certificate, CertificateFrom::Acme(_)));
        for wrong in [
            "certificate = \"a\"",
            "key = \"a\"",
            "acme = \"http://acme.example\"",
            "acme = \"https://acme.example\"\nkey = \"a\"\ncertificate = \"b\"",
            "acme = \"https://acme.example\"\ncontact = \"a@b\"",
            "contact = \"mailto:a@b\"",
            "offices = true",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
