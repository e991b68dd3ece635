//! Where the system begins: what neither the standard library nor rustix offers. Only here may code be unsafe.

pub(crate) mod clone;
pub(crate) mod exec;
pub(crate) mod kernel;
pub(crate) mod signals;
