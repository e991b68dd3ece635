//! Where the system begins: memory files, mappings, and access to what is mapped. Only here may code be unsafe.

pub(crate) mod addresses;
pub(crate) mod file;
pub(crate) mod futex;
mod group;
pub(crate) mod machine;
pub(crate) mod memory;
pub(crate) mod racing;
