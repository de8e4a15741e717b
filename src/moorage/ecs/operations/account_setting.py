"""Account settings: PutAccountSetting, PutAccountSettingDefault, ListAccountSettings, Delete.

Settings belong to an account and region. Those of the root are the defaults of the account; a user
or role may have its own, which goes before.
"""

from moorage.ecs.records.account_setting import AccountSetting
from moorage.ecs.rules.account_settings import (
    SWITCHES,
    refuse_more,
    refuse_name,
    refuse_owner,
    refuse_principal,
    refuse_value,
    root_of,
)
from moorage.ecs.store import account_settings
from moorage.ecs.views.refusal import heed
from moorage.kernel.call import Call
from moorage.kernel.operation import operation
from moorage.kernel.paging import Listing
from moorage.shapes.ecs import account_setting as shapes
from moorage.shapes.ecs.faults import InvalidParameterException

PAGE_LENGTH = 10


@operation()
def put_account_setting(
    call: Call, request: shapes.PutAccountSettingRequest
) -> shapes.PutAccountSettingResponse:
    """Set one setting for a principal, the caller where none is named; the root's are defaults."""
    put = _put(call, request.name or "", request.value or "", _principal(call, request))
    return shapes.PutAccountSettingResponse(setting=put)


@operation()
def put_account_setting_default(
    call: Call, request: shapes.PutAccountSettingDefaultRequest
) -> shapes.PutAccountSettingDefaultResponse:
    """Set one setting for all in the account who have none of their own."""
    put = _put(call, request.name or "", request.value or "", root_of(call.account))
    return shapes.PutAccountSettingDefaultResponse(setting=put)


@operation(reads=True)
def list_account_settings(
    call: Call, request: shapes.ListAccountSettingsRequest
) -> shapes.ListAccountSettingsResponse:
    """List what a principal has set, by name; with `effectiveSettings` what holds for it."""
    listing = Listing(
        call, request, limit=PAGE_LENGTH, most=PAGE_LENGTH, refused=InvalidParameterException
    )
    principal = _principal(call, request)
    if request.name is not None:
        heed(refuse_name(request.name))
    elif request.value is not None:
        raise InvalidParameterException("A value can only be given together with a setting's name.")
    look = (
        account_settings.effective_of
        if request.effective_settings
        else account_settings.of_principal
    )
    found = [
        one
        for one in look(call.tx, call, principal)
        if request.name in (None, one.name) and request.value in (None, one.value)
    ]
    shown, following = listing.cut(found, lambda one: one.name)
    return shapes.ListAccountSettingsResponse(
        settings=[_shown(one) for one in shown], next_token=following
    )


@operation()
def delete_account_setting(
    call: Call, request: shapes.DeleteAccountSettingRequest
) -> shapes.DeleteAccountSettingResponse:
    """Take back what a principal has set; the answer says what holds for it from now on."""
    name, principal = request.name or "", _principal(call, request)
    heed(refuse_name(name))
    account_settings.delete(call.tx, call, principal, name)
    value = account_settings.value_of(call.tx, call, principal, name)
    return shapes.DeleteAccountSettingResponse(setting=_setting(name, value, principal))


def _principal(
    call: Call,
    request: shapes.PutAccountSettingRequest
    | shapes.ListAccountSettingsRequest
    | shapes.DeleteAccountSettingRequest,
) -> str:
    """The ARN of whom a request is about; raises InvalidParameterException where it is nobody."""
    principal = request.principal_arn or call.principal.arn
    heed(refuse_principal(call.account, principal))
    return principal


def _put(call: Call, name: str, value: str, principal: str) -> shapes.Setting:
    heed(refuse_value(name, value))
    heed(refuse_owner(name, call.account, principal))
    is_root = principal == root_of(call.account)
    if not is_root and not account_settings.is_set(call.tx, call, principal, name):
        heed(refuse_more(account_settings.count(call.tx, call), call.account, call.region))
    account_settings.put(
        call.tx,
        AccountSetting(
            account=call.account,
            region=call.region,
            principal=principal,
            name=name,
            value=value,
        ),
    )
    return _setting(name, value, principal)


def _shown(setting: AccountSetting) -> shapes.Setting:
    return _setting(setting.name, setting.value, setting.principal)


def _setting(name: str, value: str, principal: str) -> shapes.Setting:
    return shapes.Setting(name=name, value=value, principal_arn=principal, type=SWITCHES[name].type)
