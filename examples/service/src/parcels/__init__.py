"""Where is my parcel, and is it late?"""
