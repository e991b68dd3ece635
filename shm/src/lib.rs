//! Dataspaces: sealed memory that processes share, with an owner who pays for it and takes it back.
//!
//! A [`RamAllocator`] makes a [`Dataspace`] on a [`RamAccount`]. Its owner hands out a [`DataspaceCapability`], a descriptor
//! and a word that travel in any message; whoever gets one attaches the memory. An [`Attachment`] is read and written by
//! copies; a [`View`] or [`ViewMut`] lends a part of it.
//!
//! Principles:
//! - Memory that somebody else can write is never behind a reference. What is read is a private copy; it is checked as that copy.
//! - The size of a dataspace never changes, and its pages are there and paid for when it is made. So no access to it faults.
//! - What somebody else made is a claim until it has been checked: a [`ForeignDataspace`] has been.
//! - Free means free: the pages are gone everywhere, and attachments say [`Error::Revoked`].
//!
//! The modules: `sys` (where code may be unsafe: memory files, mappings, copies), `life` (how a free becomes known), and the
//! public types, one a file.

mod allocator;
mod attachment;
mod buffer;
mod capability;
mod dataspace;
mod descriptor;
mod error;
mod foreign;
mod life;
mod life_word;
mod lingering;
mod quota;
mod ranges;
mod region_map;
mod rom;
mod source;
mod sys;
mod trusted;
mod view;
mod window;

pub use allocator::RamAllocator;
pub use attachment::Attachment;
pub use buffer::{Buffer, BufferClient};
pub use capability::{Attributes, DataspaceCapability};
pub use dataspace::Dataspace;
pub use error::Error;
pub use foreign::ForeignDataspace;
pub use life_word::LifeWord;
pub use lingering::Lingering;
pub use quota::{RamAccount, RamQuota, Reservation};
pub use region_map::{Region, RegionMap};
pub use rom::Rom;
pub use source::Source;
pub use view::{View, ViewMut};
pub use window::Window;
