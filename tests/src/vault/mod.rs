//! A process that owns dataspaces and attaches those of others, as it is asked.

mod host;
mod keeper;

pub use host::{Host, serve_parent};

use portcullis_rpc::{DataspaceCapability, Error, rpc_interface};
use portcullis_shm as shm;
use serde::{Deserialize, Serialize};

/// What its session may spend, in bytes: of its own dataspaces, and of those that its client makes.
pub const DONATED: u64 = 64 * 1024;

/// Why memory could not be had or accessed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum VaultError {
    /// The call brought no answer.
    #[error(transparent)]
    Rpc(#[from] Error),
    /// What the memory said.
    #[error("{kind}: {text}")]
    Memory {
        /// The name of the error.
        kind: String,
        /// What it says.
        text: String,
    },
}

impl From<shm::Error> for VaultError {
    fn from(error: shm::Error) -> Self {
        let kind = format!("{error:?}");
        let kind = kind.split(['(', ' ']).next().unwrap_or_default().to_owned();
        VaultError::Memory { kind, text: error.to_string() }
    }
}

/// Owns one dataspace, and has one of somebody else attached.
#[rpc_interface]
pub trait Vault {
    /// Makes a dataspace full of that byte (untouched if that is zero), on the donated account; others may write it or not.
    fn make(&mut self, size: u64, byte: u8, published: bool) -> Result<DataspaceCapability, VaultError>;
    /// The bytes of its own dataspace, or of what it has attached.
    fn look(&mut self, own: bool, offset: u64, len: u64) -> Result<Vec<u8>, VaultError>;
    /// All bytes of the same: each with how often it comes in a row.
    fn runs(&mut self, own: bool) -> Result<Vec<(u8, u64)>, VaultError>;
    /// Writes to its own dataspace, or to what it has attached.
    fn store(&mut self, own: bool, offset: u64, bytes: &[u8]) -> Result<(), VaultError>;
    /// Frees its own dataspace. Answers what stays on its account.
    fn free(&mut self) -> Result<u64, VaultError>;
    /// Nobody has what was freed any more.
    fn settle(&mut self) -> Result<(), VaultError>;
    /// What is used of the donated account, in bytes.
    fn used(&mut self) -> Result<u64, VaultError>;

    /// Attaches a dataspace of somebody it trusts.
    fn attach(&mut self, dataspace: DataspaceCapability) -> Result<(), VaultError>;
    /// Attaches a dataspace that its client made: at most of that size, on the donated account.
    fn attach_foreign(&mut self, dataspace: DataspaceCapability, limit: u64) -> Result<(), VaultError>;
    /// Copies what it has attached over and over until it is taken back. Answers whether every copy was of one byte
    /// throughout.
    fn copy_until_it_is_revoked(&mut self) -> Result<bool, VaultError>;
    /// Keeps it and does nothing with it.
    fn keep(&mut self, dataspace: DataspaceCapability) -> Result<(), VaultError>;
    /// Lets go of what it has attached or keeps.
    fn detach(&mut self) -> Result<(), VaultError>;
    /// Hands a dataspace back.
    fn relay(&mut self, dataspace: DataspaceCapability) -> Result<DataspaceCapability, VaultError>;
}
