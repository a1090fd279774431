//! What a node is called at a port mapper daemon: which cluster it belongs to, and who it is.
//!
//! `lasp_CLUSTER_ID`: the cluster's name with everything but letters, digits, `-` and `.` written as `=XX`, and the identity in
//! sixteen hexadecimal digits. So names of other clusters, and of Erlang's nodes, are not taken for members.

use lasp_overlay::PeerId;

/// How the names of all nodes begin.
const PREFIX: &str = "lasp_";

/// The name of a node.
pub(super) fn of(cluster: &str, id: PeerId) -> String {
    format!("{}{:016x}", beginning(cluster), id.0)
}

/// The node of this cluster that has a name, if one has.
pub(super) fn id_in(cluster: &str, name: &str) -> Option<PeerId> {
    let digits = name.strip_prefix(&beginning(cluster))?;
    let canonical = digits.len() == 16 && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    canonical.then(|| u64::from_str_radix(digits, 16).ok().map(PeerId)).flatten()
}

fn beginning(cluster: &str) -> String {
    let mut text = PREFIX.to_owned();
    for byte in cluster.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' => text.push(char::from(byte)),
            other => text.push_str(&format!("={other:02x}")),
        }
    }
    text.push('_');
    text
}

#[cfg(test)]
mod tests {
    use super::super::wire::MAX_NAME;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_tell_clusters_apart() {
        assert_eq!(of("shop", PeerId(0x2a)), "lasp_shop_000000000000002a");
        assert_eq!(of("my shop_1", PeerId(1)), "lasp_my=20shop=5f1_0000000000000001");
        for stranger in ["shop", "rabbit", "lasp_shop_2a", "lasp_shop_00000000000000zz", "lasp_shop_000000000000002A"] {
            assert_eq!(id_in("shop", stranger), None, "{stranger}");
        }
    }

    proptest! {
        #[test]
        fn a_name_is_its_node_and_that_of_no_other_cluster(a in ".{0,16}", b in ".{0,16}", id in any::<u64>()) {
            let name = of(&a, PeerId(id));
            prop_assert_eq!(id_in(&a, &name), Some(PeerId(id)));
            prop_assert_eq!(id_in(&b, &name).is_some(), a == b);
            prop_assert!(name.len() <= MAX_NAME);
        }
    }
}
