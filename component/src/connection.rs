//! Connections: the client's side of a session.

use crate::error::Error;
use crate::label::Label;
use crate::protocol::Request;
use crate::quota::Quota;
use crate::service::Service;
use crate::uplink::Uplink;
use portcullis_rpc::{Capability, Client, Deadline};
use std::fmt;
use std::ops::{Deref, DerefMut};

/// A session with the client to call it by: used like the [`Client`] that it derefs to. What it can do besides are associated
/// functions, so as not to hide the interface's methods.
///
/// When it is dropped, the session is closed; that waits for the parent's word that it has heard, and not for the server. What was
/// donated comes back when the server has closed it, or has died.
///
/// ```
/// use portcullis_component::test::with_server;
/// use portcullis_component::{Connection, Env, Quota};
/// # use portcullis_component::{Error, Opening, Service, Sessions};
/// # use portcullis_rpc::{self as rpc, rpc_interface};
/// # #[rpc_interface]
/// # trait Echo {
/// #     fn echo(&mut self, number: u32) -> Result<u32, rpc::Error>;
/// # }
/// # impl Service for dyn Echo {
/// #     type Arguments = ();
/// # }
/// # impl Echo for () {
/// #     fn echo(&mut self, number: u32) -> Result<u32, rpc::Error> {
/// #         Ok(number)
/// #     }
/// # }
/// # struct Echoes;
/// # impl Sessions<dyn Echo> for Echoes {
/// #     type Session = ();
/// #     fn create(&mut self, _: Opening<()>) -> Result<(), Error> {
/// #         Ok(())
/// #     }
/// # }
///
/// with_server(
///     |env: Env| env.announce::<dyn Echo, _>(Echoes),
///     |env| {
///         let before = env.budget()?;
///         let mut echo = env.connect::<dyn Echo>("mine", &())?;
///         assert_eq!(echo.echo(7)?, 7);
///         Connection::upgrade(&echo, Quota::new(1000, 0))?;
///         Connection::close(echo)?;
///         assert_eq!(env.budget()?, before);
///         Ok::<_, Error>(())
///     },
/// )?;
/// # Ok::<_, Error>(())
/// ```
pub struct Connection<I: ?Sized + Service> {
    client: Client<I>,
    session: Open,
}

/// Closes its session when it is dropped.
#[derive(Debug)]
struct Open {
    uplink: Uplink,
    number: u64,
    deadline: Deadline,
    is_closed: bool,
}

impl Drop for Open {
    fn drop(&mut self) {
        if !self.is_closed {
            self.uplink.close(self.number);
        }
    }
}

impl<I: ?Sized + Service> Connection<I> {
    /// Donates more for the session. Blocks until the server knows; [asks](crate::Env::ask) the parent for more if this
    /// component's budget has not as much.
    ///
    /// # Errors
    /// [`Error::OutOfRam`] and [`Error::OutOfCaps`] if the own budget has not as much and the parent grants no more;
    /// what the server says if it does not take it, and then nothing was donated.
    pub fn upgrade(connection: &Self, quota: Quota) -> Result<(), Error> {
        let Open { uplink, number, deadline, .. } = &connection.session;
        uplink.upgrade(*number, quota, *deadline)
    }

    /// Closes the session and waits until all that was donated is back.
    ///
    /// # Errors
    /// [`Error::Rpc`] if there is no answer; the session is closed all the same, as soon as that can be.
    pub fn close(mut connection: Self) -> Result<(), Error> {
        let Open { uplink, number, deadline, is_closed } = &mut connection.session;
        *is_closed = true;
        uplink.close_and_wait(*number, *deadline)
    }
}

impl<I: ?Sized + Service> Deref for Connection<I> {
    type Target = Client<I>;

    fn deref(&self) -> &Client<I> {
        &self.client
    }
}

impl<I: ?Sized + Service> DerefMut for Connection<I> {
    fn deref_mut(&mut self) -> &mut Client<I> {
        &mut self.client
    }
}

impl<I: ?Sized + Service> fmt::Debug for Connection<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Connection").field(&self.client).field(&self.session.number).finish()
    }
}

/// A session that is about to be asked for: [`Env::connecting`](crate::Env::connecting) makes it.
///
/// ```
/// use portcullis_component::test::with_server;
/// use portcullis_component::{Env, Quota};
/// use portcullis_rpc::Deadline;
/// use std::time::Duration;
/// # use portcullis_component::{Error, Opening, Service, Sessions};
/// # use portcullis_rpc::{self as rpc, rpc_interface};
/// # #[rpc_interface]
/// # trait Echo {
/// #     fn echo(&mut self, number: u32) -> Result<u32, rpc::Error>;
/// # }
/// # impl Service for dyn Echo {
/// #     type Arguments = ();
/// # }
/// # impl Echo for () {
/// #     fn echo(&mut self, number: u32) -> Result<u32, rpc::Error> {
/// #         Ok(number)
/// #     }
/// # }
/// # struct Echoes;
/// # impl Sessions<dyn Echo> for Echoes {
/// #     type Session = ();
/// #     fn create(&mut self, _: Opening<()>) -> Result<(), Error> {
/// #         Ok(())
/// #     }
/// # }
///
/// with_server(
///     |env: Env| env.announce::<dyn Echo, _>(Echoes),
///     |env| {
///         let patience = Deadline::After(Duration::from_secs(60));
///         // Less than it takes: what is missing is donated as well.
///         let echo = env.connecting("mine").donating(Quota::new(1000, 1)).within(patience);
///         assert_eq!(echo.open::<dyn Echo>(&())?.echo(7)?, 7);
///         Ok::<_, Error>(())
///     },
/// )?;
/// # Ok::<_, Error>(())
/// ```
#[derive(Debug)]
pub struct Connecting {
    pub(crate) uplink: Uplink,
    pub(crate) label: String,
    pub(crate) quota: Option<Quota>,
    pub(crate) deadline: Deadline,
}

impl Connecting {
    /// What is donated at first, instead of what the interface says.
    #[must_use]
    pub fn donating(self, quota: Quota) -> Self {
        Connecting { quota: Some(quota), ..self }
    }

    /// How long it may take to open, to upgrade and to close the session, instead of half a minute each.
    #[must_use]
    pub fn within(self, deadline: Deadline) -> Self {
        Connecting { deadline, ..self }
    }

    /// Opens the session: blocks until it is there.
    ///
    /// # Errors
    /// As [`Env::connect`](crate::Env::connect).
    pub fn open<I: ?Sized + Service>(self, arguments: &I::Arguments) -> Result<Connection<I>, Error> {
        let Connecting { uplink, label, quota, deadline } = self;
        let encoded = postcard::to_stdvec(arguments).map_err(|_| Error::BadArguments)?;
        let request = Request {
            number: 0,
            service: I::NAME.into(),
            label: Label::of(&label)?,
            arguments: encoded,
            quota: quota.unwrap_or_else(|| I::donation(arguments)),
        };
        // Here, that what cannot be is not even sent.
        request.check()?;
        let (number, session) = uplink.open(request, deadline)?;
        let client = Capability::<I>::from_untyped(session.into_untyped()).client();
        Ok(Connection { client, session: Open { uplink, number, deadline, is_closed: false } })
    }
}
