//! shardproof: a conformance and chaos suite for RESP sharding proxies.
