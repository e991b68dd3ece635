use super::*;
use crate::pd::peer_descriptor::PeerDescriptor;
use crate::sys::socket::Glance;

#[test]
fn who_cannot_connect_has_said_nothing_and_may_try_again() {
    let pd = Pd::new().unwrap();
    let (ours, theirs) = socket::pair().unwrap();
    let transport = Arc::new(SocketTransport::new(pd.clone(), Arc::new(PeerDescriptor::new(&pd, ours))));
    let connect = || Channel::connect(&pd, &transport, Group::next(), None);
    // The system watches nothing twice.
    let nobody = Weak::<Channel>::new() as Weak<dyn HangUp>;
    let watch = pd.watcher().unwrap().watch(transport.peer_socket(), nobody).unwrap();
    assert!(matches!(connect(), Err(Error::System { call: "epoll_ctl", .. })));
    assert_eq!(socket::glance(theirs.as_fd()), Glance::Empty);
    drop(watch);
    let channel = connect().unwrap();
    assert_eq!(socket::glance(theirs.as_fd()), Glance::Messages);
    drop((channel, transport));
    assert!(socket::has_ended(theirs.as_fd()));
}

#[test]
fn who_finds_nobody_there_is_told_so_each_time() {
    let pd = Pd::new().unwrap();
    for _ in 0..1_000 {
        let (ours, theirs) = socket::pair().unwrap();
        let transport = Arc::new(SocketTransport::new(pd.clone(), Arc::new(PeerDescriptor::new(&pd, ours))));
        drop(theirs);
        // The watcher is told as well, and may have the first channel in its hands when the second is made.
        for _ in 0..2 {
            let connected = Channel::connect(&pd, &transport, Group::next(), None);
            assert_eq!(connected.map(drop), Err(Error::Disconnected));
        }
    }
}
