"""A small experiment: is a coin fair?"""
