"""The sound of a clip, taken over into the film of its painting."""

from __future__ import annotations

import io

from nst.clips.reading import Source, opened_film

# Codecs that players expect in an MP4; packets of these are taken over as they are.
_CODECS = ("aac", "mp3", "opus", "ac3", "eac3", "alac", "flac")
# Bytes of an MP4's index: of each packet, and of all else. It is kept free at the beginning, as a film then
# plays before it is all there.
_OF_PACKET, _OF_REST = 48, 2**14


def with_sound(film: bytes, source: Source) -> bytes:
    """Return a film with the sound of a clip, for as long as the film is; as it is where there is none.

    Args:
        film: an MP4.
        source: the clip.

    Raises:
        InputError: the clip cannot be read.
    """
    import av

    with opened_film(source) as heard, av.open(io.BytesIO(film)) as seen:
        sound = next(iter(heard.streams.audio), None)
        if sound is None or sound.codec_context.name not in _CODECS:
            return film
        pictures = seen.streams.video[0]
        ends = float((seen.duration or 0) / av.time_base)
        packets = [packet for packet in seen.demux(pictures) if packet.dts is not None]
        heard_packets = []
        try:
            for packet in heard.demux(sound):
                if packet.pts is None:
                    continue
                if float(packet.pts * packet.time_base) > ends:
                    break
                heard_packets.append(packet)
        except av.FFmpegError:
            pass  # damaged from here on: what there is, is heard
        index = _OF_REST + _OF_PACKET * (len(packets) + len(heard_packets))
        made = io.BytesIO()
        with av.open(made, "w", format="mp4", options={"moov_size": str(index)}) as container:
            video = container.add_stream_from_template(pictures)
            audio = container.add_stream_from_template(sound)
            for stream, taken in ((video, packets), (audio, heard_packets)):
                for packet in taken:
                    packet.stream = stream
                    container.mux(packet)
        return made.getvalue()
