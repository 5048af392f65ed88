//! `tresen-edge licence`: makes an issuer's key, signs and shows licence files.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use data_encoding::HEXLOWER;
use jiff::civil::Date;
use tresen_identity::{Fingerprint, KeyPair, Licence, SeatCounts};

use crate::cli::Failure;
use crate::data_dir;
use crate::registry::public_key;

/// What can be done with licences.
#[derive(Subcommand)]
pub enum LicenceCommand {
    /// Makes an issuer's key. Servers built with TRESEN_LICENCE_KEY=<the public key that this prints> believe it.
    NewKey {
        /// File for the private key.
        file: PathBuf,
    },
    /// Signs a licence and prints it.
    Sign {
        /// The issuer's private key.
        #[arg(long)]
        key: PathBuf,
        /// Who may use it.
        #[arg(long)]
        licensee: String,
        /// The one server it is for (its fingerprint); without: any.
        #[arg(long)]
        site: Option<Fingerprint>,
        /// Seats for handhelds.
        #[arg(long)]
        mpos: u16,
        /// Seats for payment terminals.
        #[arg(long, default_value_t = 0)]
        paypos: u16,
        /// First day.
        #[arg(long)]
        from: Date,
        /// Last day.
        #[arg(long)]
        until: Date,
    },
    /// Checks a licence file against an issuer's public key.
    Show {
        /// The licence.
        file: PathBuf,
        /// The issuer's public key, 64 hexadecimal digits.
        #[arg(long)]
        issuer: String,
    },
}

/// Does it.
///
/// # Errors
/// With one sentence.
pub fn execute(command: LicenceCommand) -> Result<(), Failure> {
    match command {
        LicenceCommand::NewKey { file } => {
            let pair = KeyPair::from_seed(&data_dir::new_secret_file(&file).map_err(Failure::failed)?);
            println!("{}", HEXLOWER.encode(pair.public_key().as_bytes()));
        }
        LicenceCommand::Sign { key, licensee, site, mpos, paypos, from, until } => {
            let issuer = KeyPair::from_seed(&data_dir::read_secret_file(&key).map_err(Failure::failed)?);
            let seats = SeatCounts { mpos, paypos };
            let licence = Licence { licensee, site, seats, valid_from: from, valid_until: until };
            print!("{}", licence.sign(&issuer).map_err(Failure::failed)?);
        }
        LicenceCommand::Show { file, issuer } => show(&file, &issuer)?,
    }
    Ok(())
}

fn show(file: &Path, issuer: &str) -> Result<(), Failure> {
    let issuer = public_key(issuer)
        .ok_or_else(|| Failure::usage("--issuer: expected a public key, 64 hexadecimal digits"))?;
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::failed(format!("{} can't be read: {error}", file.display())))?;
    let licence = Licence::read(&text, &[issuer]).map_err(Failure::failed)?;
    let site = licence.site.map_or_else(|| "any".to_owned(), |site| site.to_string());
    println!("Licensee  {}", licence.licensee);
    println!("Site      {site}");
    println!("Seats     {} mpos, {} paypos", licence.seats.mpos, licence.seats.paypos);
    println!("Valid     {} to {}", licence.valid_from, licence.valid_until);
    Ok(())
}
