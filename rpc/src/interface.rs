//! What an interface is, to the compiler and on the wire.

/// An RPC interface: implemented for `dyn Trait` by [`rpc_interface`](crate::rpc_interface).
///
/// Opcodes are the places in [`METHODS`](Self::METHODS) and [`CHAIN`](Self::CHAIN): those of the base interface
/// first, then the trait's own methods in the order of their declaration. So a derived interface begins with its
/// base, and a method that is appended changes nothing of what was there.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an RPC interface",
    label = "not an RPC interface",
    note = "an interface is `dyn Trait`, where the trait has the attribute `#[rpc_interface]`"
)]
pub trait Interface: 'static {
    /// The name under which client and server know it.
    const NAME: &'static str;
    /// The names of its methods.
    const METHODS: &'static [&'static str];
    /// One link for each method: a hash of the interface's name, the opcode, the method's name and its signature.
    /// A call carries the client's link, and the server compares it with its own: so a method that differs on the
    /// two sides is refused, and no other.
    const CHAIN: &'static [u64];
}

/// An interface whose base is `B`, at any depth; every interface derives itself.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not derived from the interface `{B}`",
    label = "this is a capability or a client of `{Self}`"
)]
pub trait Derives<B: ?Sized>: Interface {}
