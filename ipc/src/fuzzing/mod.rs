//! What must hold for any bytes that a peer can write: driven by the fuzz targets, and by random bytes in `cargo test`.
//!
//! The decoders are private and stay so; all that shows are the properties, and a [`Puppet`] for the crates above.

mod puppet;
mod reply;
mod script;
pub(crate) mod wire;

pub(crate) use script::Script;

pub use crate::server::fuzzing::port;
pub use puppet::Puppet;
pub use reply::reply;
pub use wire::wire;

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_bytes_are_values_or_refused(data in vec(any::<u8>(), 0..200)) {
            super::wire(&data);
        }

        #[test]
        fn any_channel_memory_is_served_or_its_port_closed(data in vec(any::<u8>(), 0..400)) {
            super::port(&data);
        }

        #[test]
        fn any_reply_is_taken_or_its_channel_condemned(data in vec(any::<u8>(), 0..400)) {
            super::reply(&data);
        }
    }
}
