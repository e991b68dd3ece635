//! No network, and no socket to anybody that it was not introduced to.

use crate::{INTRUDER, refused, watchdog};
use portcullis_tests::intruder::attempt::Attempt;
use portcullis_tests::intruder::cell::both;
use rustix::io::Errno;
use std::net::{TcpListener, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};

#[test]
fn attack_51_no_tcp_and_no_udp() {
    let _watchdog = watchdog();
    let Some((confined, free)) = both(INTRUDER) else { return };
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a loopback device");
    let address = listener.local_addr().expect("it is bound").to_string();
    assert_eq!(free.tries(Attempt::Tcp, &address), Ok("done".into()));
    refused(confined.tries(Attempt::Tcp, &address), &[Errno::PERM]);

    let receiver = UdpSocket::bind("127.0.0.1:0").expect("there is a loopback device");
    let address = receiver.local_addr().expect("it is bound").to_string();
    assert_eq!(free.tries(Attempt::Udp, &address), Ok("done".into()));
    refused(confined.tries(Attempt::Udp, &address), &[Errno::PERM]);
    receiver.set_nonblocking(true).expect("it is ours");
    let mut bytes = [0; 8];
    assert_eq!(receiver.recv(&mut bytes).ok(), Some(5), "from who is not confined");
    assert!(receiver.recv(&mut bytes).is_err(), "and nothing from who is");
}

#[test]
fn attack_50_no_abstract_socket() {
    let _watchdog = watchdog();
    let Some((confined, free)) = both(INTRUDER) else { return };
    let name = format!("portcullis-{}-abstract", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).expect("it is short");
    let listener = UnixListener::bind_addr(&address).expect("nobody else has that name");
    listener.set_nonblocking(true).expect("it is ours");
    refused(confined.tries(Attempt::Abstract, &name), &[Errno::PERM]);
    assert!(listener.accept().is_err(), "nobody came");
    assert_eq!(free.tries(Attempt::Abstract, &name), Ok("done".into()));
    assert!(listener.accept().is_ok());
}

#[test]
fn strict_no_socket_of_any_family_but_channels() {
    let _watchdog = watchdog();
    let Some((confined, free)) = both(INTRUDER) else { return };
    let socket = |family: i32, kind: i32| format!("{} {family} {kind} 0", libc::SYS_socket);
    for (family, kind) in [
        (libc::AF_INET, libc::SOCK_STREAM),
        (libc::AF_INET6, libc::SOCK_DGRAM),
        (libc::AF_UNIX, libc::SOCK_STREAM),
        (libc::AF_UNIX, libc::SOCK_SEQPACKET),
        (libc::AF_NETLINK, libc::SOCK_RAW),
    ] {
        assert!(free.tries(Attempt::Call, &socket(family, kind)).is_ok(), "family {family}");
        refused(confined.tries(Attempt::Call, &socket(family, kind)), &[Errno::PERM]);
    }
    // Raw ones take a privilege outside.
    if crate::root() {
        assert!(free.tries(Attempt::Call, &format!("{} 2 3 1", libc::SYS_socket)).is_ok());
    }
    refused(confined.tries(Attempt::Call, &format!("{} 2 3 1", libc::SYS_socket)), &[Errno::PERM]);

    for kind in [libc::SOCK_STREAM, libc::SOCK_DGRAM] {
        assert!(free.tries(Attempt::Pair, &kind.to_string()).is_ok());
        refused(confined.tries(Attempt::Pair, &kind.to_string()), &[Errno::PERM]);
    }
    assert_eq!(confined.tries(Attempt::Pair, &libc::SOCK_SEQPACKET.to_string()), Ok("done".into()));
}

#[test]
fn strict_the_network_namespace_is_empty() {
    let _watchdog = watchdog();
    let Some((confined, _)) = both(INTRUDER) else { return };
    // As who looks from outside sees it: so it is not the filter alone that keeps it from the network.
    let devices = std::fs::read_to_string(format!("/proc/{}/net/dev", confined.child.id()));
    let devices = devices.expect("its parent may look");
    let names: Vec<_> =
        devices.lines().skip(2).filter_map(|line| line.split(':').next()).map(str::trim).collect();
    // The loopback device, and what some kernels put beside it into each namespace: tunnels that lead nowhere.
    let nowhere =
        ["lo", "sit0", "tunl0", "gre0", "gretap0", "erspan0", "ip_vti0", "ip6_vti0", "ip6tnl0", "ip6gre0"];
    assert!(names.iter().all(|name| nowhere.contains(name)), "{names:?}");
}
