"""How the house of identities decides: functions from records to records, and certificates.

Pure: randomness comes in as bytes, time as an instant, keys as text that nothing here keeps. May
import `ground` and the house's records.

Begin reading at `trust.py`: the steps by which one authority follows another without a drop.
`certificate.py` writes and reads the certificates themselves.
"""
