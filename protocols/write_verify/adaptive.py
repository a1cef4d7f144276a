"""stub"""
from typing import final
from protocols.write_verify.ping_pong import PingPong as Adaptive
