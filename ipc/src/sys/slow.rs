//! For tests: a descriptor whose close takes as long as a stranger likes.

use rustix::net::{SendFlags, sockopt};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::time::Duration;

/// A TCP socket that lingers for what its other end does not take, for as long as that is there.
pub(crate) fn lingering() -> (OwnedFd, OwnedFd) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    // More is sent than its other end has room for, however little that is: a test may have many.
    sockopt::set_socket_recv_buffer_size(&listener, 4_096).unwrap();
    let slow: OwnedFd = TcpStream::connect(listener.local_addr().unwrap()).unwrap().into();
    let other = listener.accept().unwrap().0.into();
    sockopt::set_socket_send_buffer_size(&slow, 65_536).unwrap();
    sockopt::set_socket_linger(&slow, Some(Duration::from_secs(120))).unwrap();
    while rustix::net::send(&slow, &[0; 65_536], SendFlags::DONTWAIT).is_ok() {}
    (slow, other)
}
