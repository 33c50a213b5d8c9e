"""English words whose animacy is beyond doubt, for pairs that violate what a verb asks of its subject."""

from __future__ import annotations

_PEOPLE = """
    adult adviser aunt author baby boss boy brother captain child citizen clerk cook cousin customer daughter
    doctor driver farmer father friend gentleman girl grandfather grandmother guest husband judge king lady lawyer
    leader man manager member minister mother neighbor nephew niece nurse officer owner parent person pilot player poet
    president priest prince princess queen sailor scientist secretary senator servant sister soldier son student
    teacher uncle visitor wife witness woman worker writer
"""
PEOPLE = frozenset(_PEOPLE.split())
"""Lemmas of nouns that name people."""
_THINGS = """
    acre amount apple bag ball bank bed bill boat book bottle box bread bridge building cake car card chair city
    clock cloth coat corn cotton cup dollar door dress egg field fire floor flower food fruit garden gate gold grass
    ground gun hat hill house ice iron island kitchen knife lake lamp land leaf letter light line map meal metal milk
    money mountain oil page paper path picture plate price product railroad rain rice ring river road rock roof room
    rope salt sand sea seat ship shoe silver sky snow soil steel stone street sugar table tax tent tool town tree valley
    village wall war water wheat wheel wind window wood
"""
THINGS = frozenset(_THINGS.split())
"""Lemmas of nouns that name things, which neither think nor speak."""
_OF_MINDS = """
    admit agree ask assume beg believe claim complain confess consider decide declare deny desire doubt dream enjoy
    expect explain fear feel forget forgive guess hate hear hope imagine insist intend know laugh learn like listen love
    mention notice obey offer prefer pray promise propose realize recall recommend refuse regret remember reply request
    say see shout sing sleep smile speak suggest suppose suspect swear talk tell thank think understand urge want warn
    watch weep whisper wish wonder worry write
"""
OF_MINDS = frozenset(_OF_MINDS.split())
"""Lemmas of verbs whose subject thinks, feels, perceives or speaks."""
