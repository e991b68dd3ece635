//! What generated code calls. A new version of the macro that needs something else gets a version of its own here.

/// For the first version of the macro.
pub mod v1 {
    pub use crate::answer::{Answer, Fallible};
    pub use crate::calling::{Calling, calling};
    pub use crate::chain::{chain, methods};
    pub use crate::client::{Client, call};
    pub use crate::codec::decode;
    pub use crate::interface::{Derives, Interface};
    pub use crate::serve::{Outcome, Serves};
    pub use crate::shape::{As, Bytes, Each, Either, Maybe, Plain};
    pub use crate::wire_size::{Size, UnknownSize, fits};
    pub use portcullis_ipc::{MsgBuf, Refusal};
}
